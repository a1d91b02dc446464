/**
 * Surrogate-Control (W3C Note "Edge Architecture Specification" §2): the forerunner of CDN-Cache-Control that origins
 * written for other CDNs send. `max-age=600`, `max-age=600+30` (usable stale for 30 seconds more), `no-store`; a name
 * behind a semicolon aims a directive at one surrogate, and ours is the one in `SURROGATE_CAPABILITY`.
 */
import { applyDirective, noResponseDirectives, type ResponseDirectives } from '#core/http/cache-control.ts';
import { splitList, trimWhitespace } from '#core/http/syntax.ts';

const OWN_NAME = 'perigee';
/** What origins are told that we understand (§3): this field, and no markup to be processed here. */
export const SURROGATE_CAPABILITY = `${OWN_NAME}="Surrogate/1.0"`;

const EXTENDED = /^([0-9]+)\+([0-9]+)$/;

/** Null: it says nothing of how long we may keep the response, so that other fields do. */
export function parseSurrogateControl(value: string): ResponseDirectives | null {
  const directives = noResponseDirectives();
  // The first of a name counts, and what is aimed at us goes before what is for all.
  for (const isAimed of [true, false]) {
    for (const member of splitList(value)) {
      const [directive = '', ...targets] = member.split(';').map(trimWhitespace);
      if (targets.length > 0 === isAimed && (!isAimed || targets.includes(OWN_NAME)))
        apply(directives, directive);
    }
  }
  return directives.maxAge === null && !directives.noStore && !directives.private ? null : directives;
}

function apply(directives: ReturnType<typeof noResponseDirectives>, directive: string): void {
  const equals = directive.indexOf('=');
  const name = (equals === -1 ? directive : directive.slice(0, equals)).toLowerCase();
  const argument = equals === -1 ? null : directive.slice(equals + 1);
  const extended = name === 'max-age' ? EXTENDED.exec(argument ?? '') : null;
  if (name === 'no-store-remote') {
    // Far from the origin is what a CDN is.
    applyDirective(directives, 'no-store', null);
  } else if (extended === null) {
    applyDirective(directives, name, argument);
  } else {
    applyDirective(directives, 'max-age', extended[1] as string);
    applyDirective(directives, 'stale-while-revalidate', extended[2] as string);
  }
}
