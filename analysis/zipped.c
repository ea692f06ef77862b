#include "zipped.h"

#include <string.h>
#include <yaml.h>

/* Where the reader is: keys and values take turns in each map; only maps count on the way to zip. */
struct place {
	int depth;     /* of maps and lists that are open */
	bool is_key;   /* in the map at this depth, what comes next is a key */
	bool in_zip;   /* the map open at depth 2 is zip's */
	bool next_zip; /* the last key at depth 1 was zip */
};

/* Takes one event. Returns whether it is the key that is looked for. */
static bool take(struct place *place, const yaml_event_t *event, const char *key)
{
	bool found = false;
	switch (event->type) {
	case YAML_MAPPING_START_EVENT:
	case YAML_SEQUENCE_START_EVENT:
		place->depth++;
		if (place->depth == 2) {
			place->in_zip = place->next_zip && event->type == YAML_MAPPING_START_EVENT;
		}
		place->is_key = true;
		break;
	case YAML_MAPPING_END_EVENT:
	case YAML_SEQUENCE_END_EVENT:
		place->depth--;
		place->is_key = true; /* a map or list was a value */
		break;
	case YAML_SCALAR_EVENT: {
		const char *text = (const char *)event->data.scalar.value;
		if (place->is_key && place->depth == 1) {
			place->next_zip = strcmp(text, "zip") == 0;
		}
		found = place->is_key && place->depth == 2 && place->in_zip && strcmp(text, key) == 0;
		place->is_key = !place->is_key;
		break;
	}
	default:
		break;
	}
	return found;
}

bool zipped_has(const char *scenario, const char *key)
{
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser)) {
		return false;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)scenario, strlen(scenario));
	struct place place = {0};
	bool found = false, more = true;
	while (more && !found) {
		yaml_event_t event;
		if (!yaml_parser_parse(&parser, &event)) {
			break;
		}
		more = event.type != YAML_STREAM_END_EVENT;
		found = take(&place, &event, key);
		yaml_event_delete(&event);
	}
	yaml_parser_delete(&parser);
	return found;
}
