/** Which certificate a handshake is done with: one of thousands, of the right key type, and always the one in force. */
import { describe, expect, test } from 'bun:test';
import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import pino from 'pino';
import { Fields } from '#core/http/fields.ts';
import type { Certificate } from '#core/model/snapshot.ts';
import type { Exchange } from '#edge/exchange.ts';
import { CertificateStore } from '#edge/tls/certificate-store.ts';
import { makeWithOptions } from '#edge/tls/context-options.ts';
import { IdentityCache } from '#edge/tls/identity-cache.ts';
import { createSilentLogger, type Logger } from '#platform/log.ts';
import { makeManyCertificates } from '../../support/many-certificates.ts';
import { type ClientTlsOptions, openRawClient, type RawClient } from '../../support/raw-client.ts';
import { createTestAuthority, type IssueOptions } from '../../support/test-authority.ts';
import { startTestListener, type TestListener } from '../../support/test-listener.ts';

const GET = 'GET / HTTP/1.1\r\nHost: example.com\r\n\r\n';

function answer(exchange: Exchange): void {
  const head = { status: 200, reason: '', fields: new Fields() };
  exchange.respondWhole(head, Buffer.from(exchange.connection.tls?.serverName ?? 'none'));
}

async function issue(host: string, options: IssueOptions = {}): Promise<Certificate> {
  const { key, cert } = await (await createTestAuthority()).issue([host], options);
  return { hosts: [host], certificatePem: cert, privateKeyPem: key };
}

/** Certificates as Node and Bun compare them: by their bytes. */
function bytesOf({ certificatePem }: Certificate): string {
  return Buffer.from(certificatePem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64').toString('hex');
}

function shownBy(client: RawClient): string {
  return (client.socket as TLSSocket).getPeerCertificate().raw.toString('hex');
}

/** What the server shows for a name; null when the handshake fails. */
async function shown(
  { https }: TestListener,
  serverName: string | null,
  options: ClientTlsOptions = {},
): Promise<string | null> {
  const client = await openRawClient({ ...https, tls: { serverName, ...options } }).catch(() => null);
  if (client === null) return null;
  try {
    return shownBy(client);
  } finally {
    client.destroy();
  }
}

function startContexts(log: Logger, contextsMax: number) {
  return {
    store: new CertificateStore(log),
    contexts: new IdentityCache(contextsMax, (identity) =>
      makeWithOptions(identity, log, createSecureContext),
    ),
  };
}

describe('thousands of certificates', () => {
  test('each host gets its own, however few are kept ready', async () => {
    const certificates = await makeManyCertificates(3_000);
    await using listener = await startTestListener(answer, { tlsContextsMax: 8 }, certificates);
    for (let index = 0; index < 3_000; index += 125) {
      const { hosts } = certificates[index] as Certificate;
      // Twice: made anew, and found ready.
      for (let round = 0; round < 2; round += 1) {
        expect(await shown(listener, hosts[0] as string)).toBe(bytesOf(certificates[index] as Certificate));
      }
    }
    expect(await shown(listener, 'h03000.test')).toBe(bytesOf(certificates[0] as Certificate));
  });

  test('those used last are kept ready, and no more than the bound', async () => {
    const certificates = await makeManyCertificates(3_000);
    const { store, contexts } = startContexts(createSilentLogger(), 100);
    store.replace(certificates, new Map());
    const contextOf = (index: number) => {
      const identity = store.identify(certificates[index]?.hosts[0] ?? '');
      return identity === null ? null : contexts.get(identity);
    };
    const made = certificates.map((_, index) => {
      const context = contextOf(index);
      // Used all the while, so never let go.
      contextOf(0);
      return context;
    });
    expect(contextOf(0)).toBe(made[0] as SecureContext);
    for (let index = 2_901; index < 3_000; index += 1)
      expect(contextOf(index)).toBe(made[index] as SecureContext);
    for (let index = 2_900; index > 2_800; index -= 1)
      expect(contextOf(index)).not.toBe(made[index] as SecureContext);
    expect(new Set(made).size).toBe(3_000);
  });
});

describe('what cannot be used', () => {
  test('is said with its hosts and a reason, and without a key', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
    const { store, contexts } = startContexts(log, 100);
    const [one, other] = [await issue('one.example'), await issue('other.example')];
    const wrong: Certificate[] = [
      { ...one, hosts: ['mixed.example'], privateKeyPem: other.privateKeyPem },
      { ...one, hosts: ['cut.example'], privateKeyPem: one.privateKeyPem.slice(0, 120) },
      { ...one, hosts: ['swapped.example'], certificatePem: one.privateKeyPem },
      { ...one, hosts: ['twice.example'], privateKeyPem: other.privateKeyPem },
      { ...one, hosts: ['twice.example'], privateKeyPem: `${one.privateKeyPem.slice(0, 100)}!` },
    ];
    store.replace(wrong, new Map());
    expect(store.identify('mixed.example')?.certificates).toEqual([wrong[0] as Certificate]);
    for (const { hosts } of wrong) {
      const identity = store.identify(hosts[0] as string);
      expect(identity === null ? null : contexts.get(identity)).toBeNull();
    }
    for (const { hosts } of wrong) expect(lines.join('')).toContain(hosts[0] as string);
    for (const secret of [one, other].flatMap(({ privateKeyPem }) =>
      privateKeyPem.split('\n').slice(1, -1),
    )) {
      expect(lines.join('')).not.toContain(secret.slice(0, 20));
    }
  });
});

describe('certificates that change', () => {
  test('connections stay through every swap, and each new handshake has the newest', async () => {
    const [site, fallback] = [await issue('www.example.com'), await issue('default.example')];
    await using listener = await startTestListener(answer, {}, [fallback, site]);
    const open: { client: RawClient; certificate: string }[] = [];
    for (let generation = 0; generation < 5; generation += 1) {
      const [newSite, newFallback] = [await issue('www.example.com'), await issue('default.example')];
      listener.certificates.replace([newFallback, newSite], new Map());
      for (const [name, certificate] of [
        ['www.example.com', newSite],
        ['default.example', newFallback],
        ['unknown.example', newFallback],
        [null, newFallback],
      ] as const) {
        const client = await openRawClient({ ...listener.https, tls: { serverName: name } });
        expect(shownBy(client)).toBe(bytesOf(certificate));
        open.push({ client, certificate: bytesOf(certificate) });
      }
      for (const { client, certificate } of open) {
        client.write(GET);
        expect((await client.readResponse()).status).toBe(200);
        expect(shownBy(client)).toBe(certificate);
      }
    }
    for (const { client } of open) client.destroy();
  });

  test('a handshake begun before a swap is finished with what it began with or with the new one', async () => {
    const [old, renewed] = [await issue('www.example.com'), await issue('www.example.com')];
    await using listener = await startTestListener(answer, {}, [old]);
    const clients = Promise.allSettled(
      Array.from({ length: 20 }, () =>
        openRawClient({ ...listener.https, tls: { serverName: 'www.example.com' } }),
      ),
    );
    for (const certificates of [[], [renewed], [], [renewed]]) {
      listener.certificates.replace(certificates, new Map());
      await new Promise((resolve) => setImmediate(resolve));
    }
    const seen = new Set([bytesOf(old), bytesOf(renewed)]);
    for (const outcome of await clients) {
      if (outcome.status === 'rejected') continue;
      expect(seen.has(shownBy(outcome.value))).toBe(true);
      outcome.value.write(GET);
      expect((await outcome.value.readResponse()).text).toBe('www.example.com');
      outcome.value.destroy();
    }
    expect(await shown(listener, 'www.example.com')).toBe(bytesOf(renewed));
  });
});

describe('ECDSA and RSA for one host', () => {
  const ONLY_ECDSA: readonly ClientTlsOptions[] = [
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' },
    { minVersion: 'TLSv1.3', sigalgs: 'ecdsa_secp256r1_sha256' },
  ];
  const ONLY_RSA: readonly ClientTlsOptions[] = [
    { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
    { minVersion: 'TLSv1.3', sigalgs: 'rsa_pss_rsae_sha256' },
  ];

  test('a client that knows one key type gets that one, by name and by default, whichever came first', async () => {
    const ecdsa = await issue('www.example.com');
    const rsa = await issue('www.example.com', { keyType: 'rsa' });
    for (const certificates of [
      [ecdsa, rsa],
      [rsa, ecdsa],
    ]) {
      await using listener = await startTestListener(answer, {}, certificates);
      for (const name of ['www.example.com', 'unknown.example', null]) {
        for (const client of ONLY_ECDSA) expect(await shown(listener, name, client)).toBe(bytesOf(ecdsa));
        for (const client of ONLY_RSA) expect(await shown(listener, name, client)).toBe(bytesOf(rsa));
        expect([bytesOf(ecdsa), bytesOf(rsa)]).toContain((await shown(listener, name)) as string);
      }
    }
  });

  test('of two with the same key type the first counts; one that cannot be read costs the other nothing', async () => {
    const [first, second] = [await issue('www.example.com'), await issue('www.example.com')];
    const rsa = await issue('www.example.com', { keyType: 'rsa' });
    const broken = { hosts: ['www.example.com'], certificatePem: 'nothing', privateKeyPem: 'nothing' };
    await using listener = await startTestListener(answer, {}, [broken, first, second, rsa]);
    for (const client of ONLY_ECDSA) {
      expect(await shown(listener, 'www.example.com', client)).toBe(bytesOf(first));
    }
    for (const client of ONLY_RSA) {
      expect(await shown(listener, 'www.example.com', client)).toBe(bytesOf(rsa));
    }
  });

  test('a host with one key type refuses clients that know only the other', async () => {
    await using listener = await startTestListener(answer, {}, [await issue('www.example.com')]);
    for (const client of ONLY_RSA) expect(await shown(listener, 'www.example.com', client)).toBeNull();
    for (const client of ONLY_ECDSA) expect(await shown(listener, 'www.example.com', client)).not.toBeNull();
  });
});
