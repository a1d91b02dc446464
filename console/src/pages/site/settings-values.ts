/** Between a site's settings and what stands in the fields of its form. */
import { type SitePatch, type SiteView, sitePatchSchema } from '#core/contract/sites.ts';
import type { OriginTimeouts } from '#core/model/site.ts';
import { durationToTyped, parseDuration } from '../../format/duration.ts';
import { schemaErrors } from '../../forms/form-errors.ts';

export interface OriginValues {
  readonly url: string;
  /** Empty: the host the user asked for. */
  readonly hostHeader: string;
  readonly verifyCertificate: boolean;
  readonly http2: boolean;
  /** Not in the form, and so left as they are. */
  readonly timeouts: OriginTimeouts | null;
}

export interface SettingsValues {
  readonly hosts: readonly string[];
  readonly origins: readonly OriginValues[];
  readonly staleWhileRevalidate: string;
  readonly staleIfError: string;
  readonly webSockets: boolean;
  readonly isTls13Only: boolean;
  readonly clientCertificates: 'off' | 'request' | 'require';
  /** As PEM; counts only where certificates are asked for. */
  readonly clientAuthorities: string;
}

export function toValues(site: SiteView): SettingsValues {
  return {
    hosts: site.hosts,
    origins: site.origins.map((origin) => ({ ...origin, hostHeader: origin.hostHeader ?? '' })),
    staleWhileRevalidate: durationToTyped(site.staleWhileRevalidateSeconds),
    staleIfError: durationToTyped(site.staleIfErrorSeconds),
    webSockets: site.webSockets,
    isTls13Only: site.minTlsVersion === '1.3',
    clientCertificates: site.clientCertificates?.mode ?? 'off',
    clientAuthorities: site.clientCertificates?.authoritiesPem ?? '',
  };
}

const DURATION = 'must be a duration such as 30s, 10m or 1d';

/** A duration that cannot be read becomes −1, which the schema refuses. */
function seconds(typed: string): number {
  return parseDuration(typed) ?? -1;
}

export function toPatch(values: SettingsValues): SitePatch {
  return {
    hosts: [...values.hosts],
    origins: values.origins.map((origin) => ({
      url: origin.url,
      hostHeader: origin.hostHeader.trim() || null,
      verifyCertificate: origin.verifyCertificate,
      http2: origin.http2,
      timeouts: origin.timeouts,
    })),
    staleWhileRevalidateSeconds: seconds(values.staleWhileRevalidate),
    staleIfErrorSeconds: seconds(values.staleIfError),
    webSockets: values.webSockets,
    minTlsVersion: values.isTls13Only ? '1.3' : '1.2',
    clientCertificates:
      values.clientCertificates === 'off'
        ? null
        : { authoritiesPem: values.clientAuthorities, mode: values.clientCertificates },
  };
}

/** The form's field for a path of the patch: `hosts[2]` is in `hosts`, `origins[0].url` is `origins.0.url`. */
export function fieldOfSetting(path: string): string | null {
  if (path.startsWith('hosts')) return 'hosts';
  const origin = /^origins\[(\d+)\]\.(url|hostHeader)$/.exec(path);
  if (origin !== null) return `origins.${origin[1]}.${origin[2]}`;
  if (path === 'clientCertificates.authoritiesPem') return 'clientAuthorities';
  if (path === 'staleWhileRevalidateSeconds') return 'staleWhileRevalidate';
  return path === 'staleIfErrorSeconds' ? 'staleIfError' : null;
}

export function settingsErrors(values: SettingsValues): Record<string, string> {
  const errors = schemaErrors(sitePatchSchema, toPatch(values), fieldOfSetting);
  if (parseDuration(values.staleWhileRevalidate) === null) errors.staleWhileRevalidate = DURATION;
  if (parseDuration(values.staleIfError) === null) errors.staleIfError = DURATION;
  return errors;
}
