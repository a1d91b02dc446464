/** All that is fuzzed. */
import type { FuzzTarget } from './target.ts';
import { BEGINNING_TARGETS } from './targets/beginnings.ts';
import { CACHING_TARGETS } from './targets/caching.ts';
import { FIELD_TARGETS } from './targets/fields.ts';
import { HPACK_TARGETS } from './targets/hpack.ts';
import { HTTP1_TARGETS } from './targets/http1.ts';
import { HTTP2_TARGETS } from './targets/http2.ts';
import { RESPONSE_TARGETS } from './targets/responses.ts';

export const TARGETS: readonly FuzzTarget[] = [
  ...HTTP1_TARGETS,
  ...RESPONSE_TARGETS,
  ...FIELD_TARGETS,
  ...CACHING_TARGETS,
  ...BEGINNING_TARGETS,
  ...HPACK_TARGETS,
  ...HTTP2_TARGETS,
];
