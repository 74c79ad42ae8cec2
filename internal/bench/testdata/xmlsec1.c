/* What libxmlsec1 takes in process, with keys in memory: verify both signatures of a
 * question, write both of an answer, and the same cryptography without XML by libcrypto.
 *
 * usage: xmlsec1 FOLDER LENGTH...
 *
 * The folder holds query.xml, altered.xml, template.xml (an answer whose signatures are
 * empty), broker.crt, authenticator.crt and register.key. The lengths are those of what is
 * hashed. Each line of standard input is a command and a number:
 *
 *   verify N, sign N, floor N   do so N times, and print the processor and wall time of all
 *                               in microseconds
 *   check N                     print "ok" if the question is accepted and the altered one
 *                               is not, and write an answer to answer.xml
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/valid.h>
#include <xmlsec/xmlsec.h>
#include <xmlsec/xmltree.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/crypto.h>
#include <xmlsec/errors.h>

static void fail(const char *what) {
	fprintf(stderr, "xmlsec1: %s\n", what);
	exit(1);
}

struct bytes { char *at; size_t n; };

static const char *folder;

static const char *path(const char *name) {
	static char whole[4096];
	snprintf(whole, sizeof whole, "%s/%s", folder, name);
	return whole;
}

static struct bytes load(const char *name) {
	FILE *f = fopen(path(name), "rb");
	struct bytes b;
	if (f == NULL) fail(path(name));
	fseek(f, 0, SEEK_END);
	b.n = (size_t)ftell(f);
	rewind(f);
	b.at = malloc(b.n);
	if (fread(b.at, 1, b.n, f) != b.n) fail(path(name));
	fclose(f);
	return b;
}

static xmlSecKeyPtr broker, authenticator, self;
static struct bytes query, altered, template;

/* The element of that name below another; the first on a way down first children. */
static xmlNodePtr find(xmlNodePtr in, const char *name) {
	for (xmlNodePtr n = in; n != NULL; n = n->next) {
		if (n->type != XML_ELEMENT_NODE) continue;
		if (strcmp((const char *)n->name, name) == 0) return n;
		xmlNodePtr found = find(n->children, name);
		if (found != NULL) return found;
	}
	return NULL;
}

/* The signature of an element, which may be referred to from now on. */
static xmlNodePtr signature_of(xmlDocPtr doc, xmlNodePtr element) {
	if (element == NULL) fail("an element is missing");
	xmlAttrPtr id = xmlHasProp(element, BAD_CAST "ID");
	xmlChar *value = xmlNodeListGetString(doc, id->children, 1);
	xmlAddID(NULL, doc, value, id);
	xmlFree(value);
	return xmlSecFindChild(element, xmlSecNodeSignature, xmlSecDSigNs);
}

static xmlSecDSigCtxPtr context(xmlSecKeyPtr key) {
	xmlSecDSigCtxPtr c = xmlSecDSigCtxCreate(NULL);
	if (c == NULL) fail("no context");
	c->signKey = xmlSecKeyDuplicate(key);
	return c;
}

static int verify_one(xmlNodePtr signature, xmlSecKeyPtr key) {
	xmlSecDSigCtxPtr c = context(key);
	int good = signature != NULL && xmlSecDSigCtxVerify(c, signature) >= 0 && c->status == xmlSecDSigStatusSucceeded;
	xmlSecDSigCtxDestroy(c);
	return good;
}

static int verify(struct bytes message) {
	xmlDocPtr doc = xmlReadMemory(message.at, (int)message.n, NULL, NULL, XML_PARSE_NONET);
	if (doc == NULL) fail("the question cannot be parsed");
	xmlNodePtr root = xmlDocGetRootElement(doc);
	xmlNodePtr outer = find(root, "XACMLAuthzDecisionQuery"), inner = find(root, "Assertion");
	xmlNodePtr first = signature_of(doc, outer), second = signature_of(doc, inner);
	int good = verify_one(first, broker) && verify_one(second, authenticator);
	xmlFreeDoc(doc);
	return good;
}

static void sign_one(xmlNodePtr signature) {
	xmlSecDSigCtxPtr c = context(self);
	if (signature == NULL || xmlSecDSigCtxSign(c, signature) < 0) fail("the answer cannot be signed");
	xmlSecDSigCtxDestroy(c);
}

static struct bytes sign(void) {
	xmlDocPtr doc = xmlReadMemory(template.at, (int)template.n, NULL, NULL, XML_PARSE_NONET);
	if (doc == NULL) fail("the answer cannot be parsed");
	xmlNodePtr root = xmlDocGetRootElement(doc);
	xmlNodePtr outer = find(root, "Response"), inner = find(root, "Assertion");
	xmlNodePtr last = signature_of(doc, outer), first = signature_of(doc, inner);
	sign_one(first);
	sign_one(last);
	xmlChar *text;
	int n;
	xmlDocDumpMemory(doc, &text, &n);
	xmlFreeDoc(doc);
	struct bytes b = { (char *)text, (size_t)n };
	return b;
}

/* The same cryptography, and nothing else. */
static EVP_PKEY_CTX *signing, *verifying;
static unsigned char digest[32], value[512], block[1 << 20];
static size_t value_length;
static size_t lengths[16];
static int count;

static EVP_PKEY_CTX *operation(EVP_PKEY *key, int (*begin)(EVP_PKEY_CTX *)) {
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(key, NULL);
	if (c == NULL || begin(c) <= 0 || EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_signature_md(c, EVP_sha256()) <= 0)
		fail("no key for the floor");
	return c;
}

static void sign_raw(void) {
	value_length = sizeof value;
	if (EVP_PKEY_sign(signing, value, &value_length, digest, sizeof digest) <= 0) fail("raw signing");
}

static void verify_raw(void) {
	if (EVP_PKEY_verify(verifying, value, value_length, digest, sizeof digest) <= 0) fail("raw verifying");
}

static void prepare_floor(void) {
	FILE *f = fopen(path("register.key"), "r");
	EVP_PKEY *key = f == NULL ? NULL : PEM_read_PrivateKey(f, NULL, NULL, NULL);
	if (key == NULL) fail("register.key");
	fclose(f);
	signing = operation(key, EVP_PKEY_sign_init);
	verifying = operation(key, EVP_PKEY_verify_init);
	sign_raw();
}

static void floor_once(void) {
	unsigned char sum[32];
	verify_raw();
	verify_raw();
	for (int i = 0; i < count; i++)
		if (!EVP_Digest(block, lengths[i], sum, NULL, EVP_sha256(), NULL)) fail("hashing");
	sign_raw();
	sign_raw();
}

static double now(clockid_t clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return 1e6 * (double)t.tv_sec + (double)t.tv_nsec / 1e3;
}

static void once(const char *what) {
	if (strcmp(what, "verify") == 0) {
		if (!verify(query)) fail("the question is refused");
	} else if (strcmp(what, "sign") == 0) {
		xmlFree(sign().at);
	} else if (strcmp(what, "floor") == 0) {
		floor_once();
	} else {
		fail(what);
	}
}

static void check(void) {
	if (!verify(query) || verify(altered)) {
		puts("the wrong questions are accepted");
		return;
	}
	struct bytes answer = sign();
	FILE *f = fopen(path("answer.xml"), "wb");
	if (f == NULL || fwrite(answer.at, 1, answer.n, f) != answer.n || fclose(f) != 0) fail("answer.xml");
	xmlFree(answer.at);
	puts("ok");
}

static xmlSecKeyPtr key(const char *name, xmlSecKeyDataFormat format) {
	xmlSecKeyPtr k = xmlSecCryptoAppKeyLoad(path(name), format, NULL, NULL, NULL);
	if (k == NULL) fail(path(name));
	return k;
}

int main(int argc, char **argv) {
	if (argc < 2) fail("no folder");
	folder = argv[1];
	for (int i = 2; i < argc && count < 16; i++) {
		size_t n = (size_t)atol(argv[i]);
		lengths[count++] = n < sizeof block ? n : sizeof block;
	}
	xmlInitParser();
	if (xmlSecInit() < 0 || xmlSecCheckVersion() != 1 || xmlSecCryptoAppInit(NULL) < 0 || xmlSecCryptoInit() < 0)
		fail("the library does not start");
	xmlSecErrorsDefaultCallbackEnableOutput(0); /* an altered question is not worth a message */
	broker = key("broker.crt", xmlSecKeyDataFormatCertPem);
	authenticator = key("authenticator.crt", xmlSecKeyDataFormatCertPem);
	self = key("register.key", xmlSecKeyDataFormatPem);
	query = load("query.xml");
	altered = load("altered.xml");
	template = load("template.xml");
	prepare_floor();

	printf("ready\n");
	fflush(stdout);
	char what[32];
	int times;
	while (scanf("%31s %d", what, &times) == 2) {
		if (strcmp(what, "check") == 0) {
			check();
		} else {
			double cpu = now(CLOCK_PROCESS_CPUTIME_ID), wall = now(CLOCK_MONOTONIC);
			for (int i = 0; i < times; i++) once(what);
			printf("%.3f %.3f\n", now(CLOCK_PROCESS_CPUTIME_ID) - cpu, now(CLOCK_MONOTONIC) - wall);
		}
		fflush(stdout);
	}
	return 0;
}
