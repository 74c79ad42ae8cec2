/* Writes exclusive canonical forms with libxml2, to judge ours by.
 *
 * Standard input is a sequence of tasks, each a line "apex skip length prefixes..." and
 * then that many bytes of a document. apex is the number of the element to write, in
 * document order from 0, skip that of an element left out with all it holds, or -1.
 * Standard output is, for each task, a line with a length and then the canonical form; a
 * length of -1 means that libxml2 could not do it.
 */
#include <libxml/c14n.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct choice {
	xmlNodePtr apex, skip;
};

static xmlNodePtr numbered(xmlNodePtr node, int *left)
{
	if (node->type != XML_ELEMENT_NODE)
		return NULL;
	if ((*left)-- == 0)
		return node;
	for (xmlNodePtr c = node->children; c; c = c->next) {
		xmlNodePtr found = numbered(c, left);
		if (found)
			return found;
	}
	return NULL;
}

static int inside(xmlNodePtr node, xmlNodePtr of)
{
	for (; node && of; node = node->parent)
		if (node == of)
			return 1;
	return 0;
}

static int visible(void *data, xmlNodePtr node, xmlNodePtr parent)
{
	struct choice *c = data;
	if (node->type == XML_NAMESPACE_DECL)
		node = parent;
	return inside(node, c->apex) && !inside(node, c->skip);
}

int main(void)
{
	static char line[1 << 16];
	while (fgets(line, sizeof line, stdin)) {
		int apex = atoi(strtok(line, " \n")), skip = atoi(strtok(NULL, " \n")), count = 0;
		size_t length = (size_t)atol(strtok(NULL, " \n"));
		xmlChar *prefixes[256];
		for (char *p; (p = strtok(NULL, " \n")) && count < 255;)
			prefixes[count++] = (xmlChar *)p;
		prefixes[count] = NULL;

		char *text = malloc(length + 1);
		if (fread(text, 1, length, stdin) != length)
			return 1;
		xmlDocPtr doc = xmlReadMemory(text, (int)length, NULL, NULL, XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
		int written = -1;
		xmlOutputBufferPtr out = xmlAllocOutputBuffer(NULL);
		if (doc) {
			struct choice c = { NULL, NULL };
			int left = apex;
			c.apex = numbered(xmlDocGetRootElement(doc), &left);
			left = skip;
			if (skip >= 0)
				c.skip = numbered(xmlDocGetRootElement(doc), &left);
			if (xmlC14NExecute(doc, visible, &c, XML_C14N_EXCLUSIVE_1_0, count ? prefixes : NULL, 0, out) >= 0) {
				xmlOutputBufferFlush(out);
				written = (int)xmlOutputBufferGetSize(out);
			}
		}
		printf("%d\n", written);
		if (written > 0)
			fwrite(xmlOutputBufferGetContent(out), 1, (size_t)written, stdout);
		fflush(stdout);
		xmlOutputBufferClose(out);
		xmlFreeDoc(doc);
		free(text);
	}
	return 0;
}
