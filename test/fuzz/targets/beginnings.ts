/** What may come first on a connection, before HTTP: PROXY protocol headers and TLS ClientHellos. */
import { PROXY_HEADER_BYTES_MAX, readProxyHeader } from '#edge/connection/proxy-protocol.ts';
import { readClientHello } from '#edge/tls/client-hello.ts';
import { TLS_LIMITS } from '#edge/tls/limits.ts';
import {
  extension,
  extensionsFor,
  helloMessage,
  records,
  serverNameExtension,
} from '../../support/client-hello.ts';
import { proxyHeader } from '../../support/proxy-header.ts';
import { type FuzzTarget, latin1, mustBe, mustEqual } from '../target.ts';

const BYTES = [
  Buffer.of(0),
  Buffer.of(0, 0),
  Buffer.of(0xff),
  Buffer.of(0xff, 0xff),
  Buffer.of(0, 1),
  Buffer.of(1),
];

/**
 * What is read of the beginnings of an input, at its cuts and whole: nothing is decided that more bytes undo, and
 * bytes behind what was read change nothing.
 */
function mustHold<T>(
  input: Buffer,
  cuts: readonly number[],
  read: (bytes: Buffer) => T,
  isOpen: (result: T) => boolean,
): void {
  const whole = read(input);
  for (const cut of cuts) {
    const early = read(input.subarray(0, cut));
    if (!isOpen(early)) mustEqual('what was decided stays', early, whole);
  }
  if (!isOpen(whole))
    mustEqual('and does not depend on what follows', read(Buffer.concat([input, Buffer.of(7)])), whole);
}

const proxy: FuzzTarget = {
  name: 'proxy-protocol',
  corpus: [
    proxyHeader(),
    proxyHeader({ client: '2001:db8::7', local: '2001:db8::1' }),
    proxyHeader({ withChecksum: true, fields: [[0x04, new Uint8Array(30)]] }),
    proxyHeader({ versionAndCommand: 0x20, family: 0, block: new Uint8Array(0) }),
    proxyHeader({
      fields: [
        [0x20, Uint8Array.of(1, 0, 0, 0, 0, 0x21, 0, 3, 65, 66, 67)],
        [0x02, Buffer.from('example.com')],
      ],
    }),
    ...latin1('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n'),
  ],
  tokens: [
    ...BYTES,
    ...latin1('\r\n\r\n\0\r\nQUIT\n', '\x21\x11', '\x20\x00', '\x21\x21', '\x21\x31', '\x03\x00\x04'),
  ],
  runs: 8_000,
  check(input, cuts) {
    mustHold(input, cuts, readProxyHeader, (header) => header === 'incomplete');
    const header = readProxyHeader(input);
    if (header === 'incomplete')
      mustBe('no more is waited for than a header may have', input.length < PROXY_HEADER_BYTES_MAX);
    if (typeof header === 'string') return;
    mustBe('a header is no longer than what there is', header.length <= input.length && header.length >= 16);
    const ports = header.ends === null ? [] : [header.ends.clientPort, header.ends.localPort];
    mustBe(
      'ports are ports',
      ports.every((port) => port >= 0 && port <= 65_535),
    );
  },
};

const HELLO = helloMessage({ extensions: extensionsFor('www.example.com') });

const clientHello: FuzzTarget = {
  name: 'client-hello',
  corpus: [
    records(HELLO),
    records(HELLO, 7),
    records(HELLO, 1),
    records(helloMessage({ extensions: null })),
    records(
      helloMessage({
        extensions: [
          ...extension(43, [2, 3, 4]),
          ...serverNameExtension('a.example'),
          ...serverNameExtension('b.example'),
        ],
      }),
    ),
    records(helloMessage({ version: 0x0302, suites: [0x1301, 0x1302, 0xc02b] })),
    records(helloMessage({ extensions: serverNameExtension('') })),
    ...latin1('GET / HTTP/1.1\r\n\r\n', '\x80\x2e\x01\x03\x01'),
  ],
  tokens: [
    ...BYTES,
    ...latin1(
      '\x16\x03\x01',
      '\x16\x03\x01\x00\x05',
      '\x01\x00\x00',
      '\x00\x00\x00\x0b\x00\x09\x00\x00\x06',
      'example',
      '.',
      '\x15\x03',
    ),
  ],
  runs: 8_000,
  check(input, cuts) {
    mustHold(input, cuts, readClientHello, ({ kind }) => kind === 'incomplete');
    const hello = readClientHello(input);
    if (hello.kind === 'incomplete') {
      mustBe('it says how much to wait for', hello.bytesMin > input.length);
      mustBe('which is bounded', hello.bytesMin <= TLS_LIMITS.clientHelloBytesMax);
    } else if (hello.kind === 'complete' && hello.serverName !== null) {
      mustBe('a name is a name', hello.serverName.length > 0 && hello.serverName.length <= 255);
    }
  },
};

export const BEGINNING_TARGETS: readonly FuzzTarget[] = [proxy, clientHello];
