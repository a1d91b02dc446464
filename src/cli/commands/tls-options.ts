/** The options of `perigee site` that say what a site asks of secure connections, and how that is shown. */
import { readFileSync, statSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { AppError } from '#core/base/app-error.ts';
import { errorMessage } from '#core/base/error-message.ts';
import type { Site } from '#core/model/site.ts';
import { CLIENT_AUTHORITIES_FILE_BYTES_MAX } from '../limits.ts';
import { countOf } from '../quantity.ts';

export interface TlsOptions {
  readonly minTls?: Site['minTlsVersion'];
  readonly clientCertificates?: 'require' | 'request' | 'off';
  readonly clientAuthorities?: string;
}

export function withTlsOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--min-tls <version>',
        'the oldest version of TLS that users may speak (default: 1.2)',
      ).choices(['1.2', '1.3']),
    )
    .addOption(
      new Option(
        '--client-certificates <mode>',
        'whether users must show a certificate, or are asked for one (default: off)',
      ).choices(['require', 'request', 'off']),
    )
    .option('--client-authorities <file>', 'certificates of those who issue them, as PEM (then: require)');
}

type TlsSettings = Partial<Pick<Site, 'minTlsVersion' | 'clientCertificates'>>;

/** What the options say; the rest is left out. `former`: the site's setting so far. */
export function readTlsFields(options: TlsOptions, former: Site['clientCertificates']): TlsSettings {
  const { minTls, clientCertificates, clientAuthorities } = options;
  const isAboutCertificates = clientCertificates !== undefined || clientAuthorities !== undefined;
  return {
    ...(minTls === undefined ? {} : { minTlsVersion: minTls }),
    ...(isAboutCertificates ? { clientCertificates: readClientCertificates(options, former) } : {}),
  };
}

function readClientCertificates(
  { clientCertificates, clientAuthorities }: TlsOptions,
  former: Site['clientCertificates'],
): Site['clientCertificates'] {
  if (clientCertificates === 'off') return null;
  const authoritiesPem =
    clientAuthorities === undefined ? former?.authoritiesPem : readAuthorities(clientAuthorities);
  if (authoritiesPem === undefined) {
    throw new AppError('invalid', 'say whose certificates are trusted: --client-authorities FILE');
  }
  return { authoritiesPem, mode: clientCertificates ?? former?.mode ?? 'require' };
}

function readAuthorities(file: string): string {
  try {
    if (statSync(file).size > CLIENT_AUTHORITIES_FILE_BYTES_MAX) throw new Error('is too large');
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    const reason = code === 'ENOENT' ? 'is not there' : errorMessage(cause);
    throw new AppError('invalid', `--client-authorities ${file}: ${reason}`, { cause });
  }
}

export function formatClientCertificates(setting: Site['clientCertificates']): string {
  if (setting === null) return 'not asked for';
  const count = setting.authoritiesPem.split('-----BEGIN CERTIFICATE-----').length - 1;
  const mode = setting.mode === 'require' ? 'required' : 'asked for';
  return `${mode}, of ${countOf(count, 'authority', 'authorities')}`;
}
