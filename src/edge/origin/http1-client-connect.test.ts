/** Making connections: names, families, the local address, TLS; and how failing is told. */
import { afterEach, describe, expect, test } from 'bun:test';
import { createTestClient, failureOf, readText, requestTo } from '../../../test/support/origin-requests.ts';
import {
  type Script,
  type ScriptedOriginOptions,
  startScriptedOrigin,
} from '../../../test/support/scripted-origin.ts';
import { createTestAuthority } from '../../../test/support/test-authority.ts';
import type { Http1ClientOptions } from './http1-client.ts';

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

/** Answers with what the origin sees of the connection. */
const telling: Script = async (connection) => {
  for (;;) {
    await connection.readRequest();
    const seen = `${connection.remoteAddress} ${connection.serverName}`;
    connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${seen.length}\r\n\r\n${seen}`);
  }
};

async function startOrigin(options: ScriptedOriginOptions = {}, script: Script = telling) {
  const origin = await startScriptedOrigin(script, options);
  cleanups.push(() => origin.close());
  return origin;
}

function startClient(options: Partial<Http1ClientOptions> = {}) {
  const client = createTestClient(options);
  cleanups.push(() => client.close());
  return client;
}

/** A port of 127.0.0.1 where nobody listens. */
async function closedPort(): Promise<number> {
  const origin = await startScriptedOrigin(() => {});
  await origin.close();
  return origin.port;
}

describe('a connection that cannot be made', () => {
  test('refused', async () => {
    const failure = await failureOf(startClient().fetch(requestTo(`http://127.0.0.1:${await closedPort()}`)));
    expect(failure.type).toBe('connection_refused');
    expect(failure.mayHaveBeenProcessed).toBe(false);
  });

  test('a name without addresses', async () => {
    const client = startClient({
      lookup: async () => {
        throw new Error('no such name');
      },
    });
    const failure = await failureOf(client.fetch(requestTo('http://origin.example.com')));
    expect(failure.type).toBe('dns_error');
    expect(failure.message).toContain('no such name');
    expect(failure.mayHaveBeenProcessed).toBe(false);
  });

  test('a name that the system does not know', async () => {
    const failure = await failureOf(startClient().fetch(requestTo('http://origin.invalid')));
    expect(failure.type).toBe('dns_error');
  });

  test('a name server that does not answer', async () => {
    const client = startClient({ limits: { connectMs: 60 }, lookup: () => new Promise(() => {}) });
    const failure = await failureOf(client.fetch(requestTo('http://origin.example.com')));
    expect(failure.type).toBe('dns_error');
  });

  test('an address that does not answer, or that nobody leads to', async () => {
    // A documentation network (RFC 5737): depending on the system its packets vanish or are refused.
    const client = startClient({ limits: { connectMs: 60 } });
    const failure = await failureOf(client.fetch(requestTo('http://192.0.2.1:81')));
    expect(['connection_timeout', 'destination_unavailable', 'connection_refused']).toContain(failure.type);
    expect(failure.mayHaveBeenProcessed).toBe(false);
    expect(client.connections().open).toBe(0);
  });

  test('after closing', async () => {
    const client = startClient();
    await client.close();
    expect((await failureOf(client.fetch(requestTo('http://127.0.0.1:1')))).type).toBe(
      'proxy_internal_error',
    );
  });
});

describe('addresses', () => {
  test('the local one is the egress address', async () => {
    const origin = await startOrigin();
    const client = startClient({ egressAddress: '127.0.0.9' });
    const response = await client.fetch(requestTo(origin.url));
    expect(await readText(response.body)).toBe('127.0.0.9 null');
  });

  test('of another family than the egress address are not tried', async () => {
    const client = startClient({
      egressAddress: '127.0.0.9',
      lookup: async () => [{ address: '::1', family: 6 }],
    });
    const failure = await failureOf(client.fetch(requestTo('http://origin.example.com')));
    expect(failure.type).toBe('destination_unavailable');
  });

  test('of both families are tried in turn', async () => {
    const origin = await startOrigin();
    const client = startClient({
      lookup: async () => [
        { address: '::1', family: 6 },
        { address: '127.0.0.1', family: 4 },
      ],
    });
    const response = await client.fetch(requestTo(`http://origin.example.com:${origin.port}`));
    expect(await readText(response.body)).toBe('127.0.0.1 null');
  });

  test('a silent one does not hold up the next', async () => {
    const origin = await startOrigin();
    const client = startClient({
      limits: { nextAddressMs: 20 },
      lookup: async () => [
        { address: '192.0.2.1', family: 4 },
        { address: '127.0.0.1', family: 4 },
      ],
    });
    const response = await client.fetch(requestTo(`http://origin.example.com:${origin.port}`));
    expect(response.status).toBe(200);
  });

  test('are asked for once while known', async () => {
    let lookups = 0;
    const origin = await startOrigin();
    const client = startClient({
      limits: { idleConnectionMs: 0 },
      lookup: async () => {
        lookups += 1;
        return [{ address: '127.0.0.1', family: 4 }];
      },
    });
    const url = `http://origin.example.com:${origin.port}`;
    await Promise.all([1, 2, 3].map(() => client.fetch(requestTo(url))));
    await client.fetch(requestTo(url));
    expect(lookups).toBe(1);
  });
});

describe('TLS', () => {
  test('verifies the certificate for the Host sent, and sends it as server name', async () => {
    const authority = await createTestAuthority();
    const origin = await startOrigin({ tls: await authority.issue(['www.example.com']) });
    const client = startClient({ extraCertificateAuthorities: [authority.certificate] });
    const response = await client.fetch(requestTo(origin.url));
    expect(await readText(response.body)).toBe('127.0.0.1 www.example.com');
  });

  test("uses the origin's own Host when it is set", async () => {
    const authority = await createTestAuthority();
    const origin = await startOrigin({ tls: await authority.issue(['origin.example.com']) });
    const client = startClient({ extraCertificateAuthorities: [authority.certificate] });
    const request = requestTo(origin.url, { origin: { hostHeader: 'origin.example.com' } });
    expect(await readText((await client.fetch(request)).body)).toBe('127.0.0.1 origin.example.com');
  });

  test('refuses an authority nobody knows', async () => {
    const authority = await createTestAuthority();
    const origin = await startOrigin({ tls: await authority.issue(['www.example.com']) });
    const failure = await failureOf(startClient().fetch(requestTo(origin.url)));
    expect(failure.type).toBe('tls_certificate_error');
    expect(failure.mayHaveBeenProcessed).toBe(false);
    expect(origin.requests).toEqual([]);
  });

  test('refuses a certificate for another name', async () => {
    const authority = await createTestAuthority();
    const origin = await startOrigin({ tls: await authority.issue(['other.example.com']) });
    const client = startClient({ extraCertificateAuthorities: [authority.certificate] });
    expect((await failureOf(client.fetch(requestTo(origin.url)))).type).toBe('tls_certificate_error');
    expect(origin.requests).toEqual([]);
  });

  test('refuses a certificate that has run out', async () => {
    const authority = await createTestAuthority();
    const tls = await authority.issue(['www.example.com'], { notAfter: new Date(Date.now() - 86_400_000) });
    const origin = await startOrigin({ tls });
    const client = startClient({ extraCertificateAuthorities: [authority.certificate] });
    expect((await failureOf(client.fetch(requestTo(origin.url)))).type).toBe('tls_certificate_error');
  });

  test('does not verify where the site says so, and never mixes such connections with verified ones', async () => {
    const authority = await createTestAuthority();
    const origin = await startOrigin({ tls: await authority.issue(['other.example.com']) });
    const client = startClient();
    const lenient = requestTo(origin.url, { origin: { verifyCertificate: false } });
    expect(await readText((await client.fetch(lenient)).body)).toBe('127.0.0.1 www.example.com');
    expect((await failureOf(client.fetch(requestTo(origin.url)))).type).toBe('tls_certificate_error');
  });

  test('connections of different server names are kept apart', async () => {
    const authority = await createTestAuthority();
    const origin = await startOrigin({ tls: await authority.issue(['a.example.com', 'b.example.com']) });
    const client = startClient({ extraCertificateAuthorities: [authority.certificate] });
    const seen: string[] = [];
    for (const hostHeader of ['a.example.com', 'b.example.com', 'a.example.com']) {
      const response = await client.fetch(requestTo(origin.url, { origin: { hostHeader } }));
      seen.push(await readText(response.body));
    }
    expect(seen).toEqual(['127.0.0.1 a.example.com', '127.0.0.1 b.example.com', '127.0.0.1 a.example.com']);
    expect(origin.connections).toBe(2);
  });

  test('an address as server name is looked for in the certificate, but not sent', async () => {
    const authority = await createTestAuthority();
    const origin = await startOrigin({ tls: await authority.issue(['127.0.0.1']) });
    const client = startClient({ extraCertificateAuthorities: [authority.certificate] });
    const request = requestTo(origin.url, { origin: { hostHeader: '127.0.0.1' } });
    expect(await readText((await client.fetch(request)).body)).toBe('127.0.0.1 null');
  });

  test('an origin that speaks no TLS', async () => {
    const origin = await startOrigin({}, (connection) =>
      connection.write('HTTP/1.1 400 Bad Request\r\n\r\n'),
    );
    const failure = await failureOf(startClient().fetch(requestTo(`https://127.0.0.1:${origin.port}`)));
    expect(failure.type).toBe('tls_protocol_error');
    expect(failure.mayHaveBeenProcessed).toBe(false);
  });

  test('an origin that closes within the handshake', async () => {
    const origin = await startOrigin({}, (connection) => connection.end());
    const failure = await failureOf(startClient().fetch(requestTo(`https://127.0.0.1:${origin.port}`)));
    expect(failure.type).toBe('tls_protocol_error');
  });

  test('an origin that is silent within the handshake', async () => {
    const origin = await startOrigin({}, () => {});
    const client = startClient({ limits: { tlsMs: 60 } });
    const failure = await failureOf(client.fetch(requestTo(`https://127.0.0.1:${origin.port}`)));
    expect(failure.type).toBe('connection_timeout');
    expect(failure.message).toContain('TLS handshake');
    expect(client.connections().open).toBe(0);
  });

  test('a large body arrives whole, and truncation is seen', async () => {
    const authority = await createTestAuthority();
    const tls = await authority.issue(['www.example.com']);
    const body = Buffer.alloc(4_000_000, 'abc');
    const origin = await startOrigin({ tls }, async (connection) => {
      await connection.readRequest();
      connection.write(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n`);
      await connection.writeThrough(body);
      await connection.readRequest();
      connection.write('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel');
      connection.end();
    });
    const client = startClient({ extraCertificateAuthorities: [authority.certificate] });
    const whole = await client.fetch(requestTo(origin.url));
    expect((await readText(whole.body)).length).toBe(body.length);
    const cut = await client.fetch(requestTo(origin.url));
    expect((await failureOf(readText(cut.body))).type).toBe('http_response_incomplete');
  });
});
