"""A mail server of a test: takes letters by SMTP and writes down what it got.

settings.json says how: see MailOptions. Each letter is a line of JSON in "received" before
it is confirmed, as it came and as Python's own parser reads it.
"""
import asyncio
import base64
import email
import email.policy
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult

with open("settings.json") as f:
    settings = json.load(f)


def read(content):
    letter = email.message_from_bytes(content, policy=email.policy.default)
    return {
        "Headers": {name: str(value) for name, value in letter.items()},
        "Text": letter.get_content(),
        "Defects": [repr(d) for part in letter.walk() for d in part.defects]
        + [repr(d) for value in letter.values() for d in value.defects],
    }


class Handler:
    connections = 0

    async def answer(self, server, stage, address, otherwise):
        """What the test wants said, or else what a server says."""
        said = settings["Answers"].get(f"{stage} {address}")
        if said == "hang up":
            server.transport.abort()
        if said == "say nothing":
            open("silent", "w").close()
            await asyncio.Event().wait()
        return said or otherwise

    async def handle_EHLO(self, server, session, envelope, name, responses):
        session.host_name = name
        if not hasattr(server, "number"):  # a session begins anew after STARTTLS
            Handler.connections += 1
            server.number = Handler.connections
        return responses

    async def handle_MAIL(self, server, session, envelope, address, options):
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        said = await self.answer(server, "MAIL", address, "250 OK")
        if not said.startswith("2"):
            envelope.mail_from = None
        return said

    async def handle_RCPT(self, server, session, envelope, address, options):
        said = await self.answer(server, "RCPT", address, "250 OK")
        if said.startswith("2"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return said

    async def handle_DATA(self, server, session, envelope):
        said = await self.answer(server, "DATA", envelope.rcpt_tos[0], "250 OK")
        if said.startswith("2"):
            line = json.dumps({
                "From": envelope.mail_from, "To": envelope.rcpt_tos,
                "Options": envelope.mail_options + envelope.rcpt_options,
                "Hello": session.host_name, "Connection": server.number,
                "TLS": server.transport.get_extra_info("cipher") is not None,
                "User": session.auth_data or "",
                "Content": base64.b64encode(envelope.content).decode(),
                **read(envelope.content),
            })
            with open("received", "a") as f:
                f.write(line + "\n")
        return said


def authenticate(server, session, envelope, mechanism, shown):
    with open("logins", "a") as f:
        f.write(mechanism + "\n")
    if (shown.login.decode(), shown.password.decode()) != (settings["User"], settings["Password"]):
        return AuthResult(success=False, handled=False)
    return AuthResult(success=True, auth_data=settings["User"])


async def main(port):
    kind = settings["Security"]
    context = None
    if kind != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain("cert.pem", "key.pem")
    starttls = kind == "starttls"

    def connection():
        return SMTP(
            Handler(), hostname="mail.example", loop=asyncio.get_running_loop(), enable_SMTPUTF8=True,
            tls_context=context if starttls else None, require_starttls=starttls,
            auth_require_tls=starttls, auth_required=settings["User"] != "",
            auth_exclude_mechanism=settings["Without"], authenticator=authenticate,
        )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(connection, "127.0.0.1", port, ssl=context if kind == "tls" else None)
    await server.serve_forever()


asyncio.run(main(int(sys.argv[1])))
