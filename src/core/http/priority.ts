/** Extensible priorities (RFC 9218 §4, §5): what a Priority field or a PRIORITY_UPDATE frame asks for. */
import { parseDictionary } from './structured-fields.ts';

export interface Priority {
  /** 0 (most urgent) to 7. */
  readonly urgency: number;
  /** Whether its response is of use in parts, so that it may share the connection with its equals. */
  readonly isIncremental: boolean;
}

export const DEFAULT_PRIORITY: Priority = { urgency: 3, isIncremental: false };

/** Values met most, so that they are not parsed again; bounded by what may occur: urgency and incremental. */
const KNOWN = new Map<string, Priority>();
const KNOWN_MAX = 64;
const KNOWN_CHARACTERS_MAX = 16;

/** Parameters that are absent, unknown or out of range have their defaults; so has an invalid field. */
export function parsePriority(value: string): Priority {
  const known = KNOWN.get(value);
  if (known !== undefined) return known;
  const parsed = parse(value);
  if (KNOWN.size < KNOWN_MAX && value.length <= KNOWN_CHARACTERS_MAX) KNOWN.set(value, parsed);
  return parsed;
}

function parse(value: string): Priority {
  const dictionary = parseDictionary(value);
  if (dictionary === null) return DEFAULT_PRIORITY;
  const u = dictionary.get('u');
  const i = dictionary.get('i');
  const isUrgency = u?.kind === 'item' && u.item.type === 'integer' && u.item.value >= 0 && u.item.value <= 7;
  return {
    urgency: isUrgency ? Number(u.item.value) : DEFAULT_PRIORITY.urgency,
    isIncremental: i?.kind === 'item' && i.item.type === 'boolean' && i.item.value,
  };
}
