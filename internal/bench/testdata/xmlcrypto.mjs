// What npm's xml-crypto takes: verify both signatures of a question, write both of an
// answer.
//
// usage: node xmlcrypto.mjs FOLDER
//
// The folder holds query.xml, altered.xml, unsigned.xml (an answer without signatures),
// broker.crt, authenticator.crt and register.key. Each line of standard input is a command
// and a number:
//
//   verify N, sign N   do so N times, and print the processor and wall time of all in
//                      microseconds
//   check N            print "ok" if the question is accepted and the altered one is not,
//                      and write an answer to answer.xml
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url); // which looks where NODE_PATH says
const { SignedXml } = require("xml-crypto");
const { DOMParser } = createRequire(require.resolve("xml-crypto"))("@xmldom/xmldom");

const folder = process.argv[2];
const load = (name) => readFileSync(`${folder}/${name}`, "utf8");
const query = load("query.xml"), altered = load("altered.xml"), unsigned = load("unsigned.xml");
const broker = load("broker.crt"), authenticator = load("authenticator.crt"), self = load("register.key");
const keyName = load("keyname.txt");

const dsig = "http://www.w3.org/2000/09/xmldsig#";
const exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#";
const sha256 = "http://www.w3.org/2001/04/xmlenc#sha256";
const rsa = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const enveloped = dsig + "enveloped-signature";

function verify(message) {
  const doc = new DOMParser().parseFromString(message, "text/xml");
  const signatures = doc.getElementsByTagNameNS(dsig, "Signature");
  if (signatures.length !== 2) throw new Error("a question has two signatures");
  return [broker, authenticator].every((publicCert, i) => {
    const signature = new SignedXml({ publicCert });
    signature.loadSignature(signatures[i]);
    return signature.checkSignature(message) && signature.getSignedReferences().length === 1;
  });
}

function signOne(message, space, name) {
  const signature = new SignedXml({
    privateKey: self, signatureAlgorithm: rsa, canonicalizationAlgorithm: exclusive,
    getKeyInfoContent: () => `<ds:KeyName>${keyName}</ds:KeyName>`,
  });
  const xpath = `//*[local-name(.)='${name}' and namespace-uri(.)='urn:oasis:names:tc:SAML:2.0:${space}']`;
  signature.addReference({ xpath, digestAlgorithm: sha256, transforms: [enveloped, exclusive] });
  signature.computeSignature(message, {
    prefix: "ds", location: { reference: `${xpath}/*[local-name(.)='Issuer']`, action: "after" },
  });
  return signature.getSignedXml();
}

const sign = () => signOne(signOne(unsigned, "assertion", "Assertion"), "protocol", "Response");

function check() {
  let refused = false;
  try {
    refused = !verify(altered);
  } catch {
    refused = true;
  }
  if (!verify(query) || !refused) return "the wrong questions are accepted";
  writeFileSync(`${folder}/answer.xml`, sign());
  return "ok";
}

function measured(work, times) {
  const cpu = process.cpuUsage(), wall = process.hrtime.bigint();
  for (let i = 0; i < times; i++) work();
  const used = process.cpuUsage(cpu);
  return `${used.user + used.system} ${Number(process.hrtime.bigint() - wall) / 1000}`;
}

const commands = {
  check,
  verify: (times) => measured(() => { if (!verify(query)) throw new Error("the question is refused"); }, times),
  sign: (times) => measured(sign, times),
};

console.log("ready");
for await (const line of createInterface({ input: process.stdin })) {
  const [what, times] = line.split(" ");
  console.log(commands[what](Number(times)));
}
