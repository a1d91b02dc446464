/**
 * Requests that no well-meaning client sends, and some unusual ones that are right: bytes, and what must
 * come of them. A refused request is answered with its status and the connection closed, so that nothing
 * behind it is ever taken for a request; after an accepted one the next request is answered too.
 *
 * `accept` is what the echoing handler of the test answers: method, target, authority and body length.
 */
export interface RefusedCase {
  readonly name: string;
  readonly bytes: string;
  readonly refuse: number;
}

export interface AcceptedCase {
  readonly name: string;
  readonly bytes: string;
  readonly accept: readonly string[];
}

export type RequestCase = RefusedCase | AcceptedCase;

const HOST = 'Host: example.com\r\n';

/** A GET with these further field lines. */
function get(lines: string, target = '/'): string {
  return `GET ${target} HTTP/1.1\r\n${HOST}${lines}\r\n`;
}

/** A POST with these further field lines and a body. */
function post(lines: string, body: string): string {
  return `POST / HTTP/1.1\r\n${HOST}${lines}\r\n${body}`;
}

function chunked(body: string): string {
  return post('Transfer-Encoding: chunked\r\n', body);
}

function withCoding(coding: string): string {
  return post(`Transfer-Encoding: ${coding}\r\n`, '0\r\n\r\n');
}

function withLength(length: string): string {
  return post(`Content-Length: ${length}\r\n`, 'hello');
}

function withHost(host: string): string {
  return `GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
}

function line(requestLine: string): string {
  return `${requestLine}\r\n${HOST}\r\n`;
}

const requestLines: RefusedCase[] = [
  { name: 'HTTP/0.9', bytes: 'GET /\r\n\r\n', refuse: 400 },
  { name: 'no target', bytes: line('GET HTTP/1.1'), refuse: 400 },
  { name: 'empty target', bytes: line('GET  HTTP/1.1'), refuse: 400 },
  { name: 'two spaces before the version', bytes: line('GET /  HTTP/1.1'), refuse: 400 },
  { name: 'tab before the target', bytes: line('GET\t/ HTTP/1.1'), refuse: 400 },
  { name: 'tab before the version', bytes: line('GET /\tHTTP/1.1'), refuse: 400 },
  { name: 'space after the version', bytes: line('GET / HTTP/1.1 '), refuse: 400 },
  { name: 'space in the target', bytes: line('GET /a b HTTP/1.1'), refuse: 400 },
  { name: 'control character in the target', bytes: line('GET /\x01 HTTP/1.1'), refuse: 400 },
  { name: 'NUL in the target', bytes: line('GET /\0 HTTP/1.1'), refuse: 400 },
  { name: 'DEL in the target', bytes: line('GET /\x7f HTTP/1.1'), refuse: 400 },
  { name: 'fragment in the target', bytes: line('GET /a#b HTTP/1.1'), refuse: 400 },
  { name: 'target without slash', bytes: line('GET index.html HTTP/1.1'), refuse: 400 },
  { name: 'target of a query alone', bytes: line('GET ?a HTTP/1.1'), refuse: 400 },
  { name: 'asterisk-form with GET', bytes: line('GET * HTTP/1.1'), refuse: 400 },
  { name: 'authority-form with GET', bytes: line('GET example.com:80 HTTP/1.1'), refuse: 400 },
  { name: 'absolute-form of another scheme', bytes: line('GET ftp://example.com/ HTTP/1.1'), refuse: 400 },
  { name: 'absolute-form without authority', bytes: line('GET http:///a HTTP/1.1'), refuse: 400 },
  {
    name: 'absolute-form with user information',
    bytes: line('GET http://u@example.com/ HTTP/1.1'),
    refuse: 400,
  },
  { name: 'absolute-form with a bad port', bytes: line('GET http://example.com:x/ HTTP/1.1'), refuse: 400 },
  {
    name: 'absolute-form with https on a plain connection',
    bytes: line('GET https://example.com/ HTTP/1.1'),
    refuse: 421,
  },
  { name: 'CONNECT', bytes: line('CONNECT example.com:443 HTTP/1.1'), refuse: 501 },
  { name: 'CONNECT with a path', bytes: line('CONNECT / HTTP/1.1'), refuse: 501 },
  { name: 'method longer than any', bytes: line(`${'A'.repeat(65)} / HTTP/1.1`), refuse: 501 },
  { name: 'method with a parenthesis', bytes: line('G(T / HTTP/1.1'), refuse: 400 },
  { name: 'method with a byte above 127', bytes: line('G\xc9T / HTTP/1.1'), refuse: 400 },
  { name: 'no method', bytes: line(' / HTTP/1.1'), refuse: 400 },
  { name: 'leading CRLF', bytes: `\r\n${line('GET / HTTP/1.1')}`, refuse: 400 },
  { name: 'leading LF', bytes: `\n${line('GET / HTTP/1.1')}`, refuse: 400 },
  { name: 'leading space', bytes: ` ${line('GET / HTTP/1.1')}`, refuse: 400 },
  { name: 'leading NUL', bytes: `\0${line('GET / HTTP/1.1')}`, refuse: 400 },
  { name: 'byte order mark', bytes: `\xef\xbb\xbf${line('GET / HTTP/1.1')}`, refuse: 400 },
  { name: 'TLS ClientHello', bytes: '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', refuse: 400 },
  { name: 'HTTP/2 preface', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', refuse: 505 },
  { name: 'HTTP/1.2', bytes: line('GET / HTTP/1.2'), refuse: 505 },
  { name: 'HTTP/2.0', bytes: line('GET / HTTP/2.0'), refuse: 505 },
  { name: 'HTTP/0.9 named', bytes: line('GET / HTTP/0.9'), refuse: 505 },
  { name: 'HTTP/9.9', bytes: line('GET / HTTP/9.9'), refuse: 505 },
  { name: 'HTTP/1', bytes: line('GET / HTTP/1'), refuse: 400 },
  { name: 'HTTP/1.10', bytes: line('GET / HTTP/1.10'), refuse: 400 },
  { name: 'HTTP/01.1', bytes: line('GET / HTTP/01.1'), refuse: 400 },
  { name: 'HTTP/1,1', bytes: line('GET / HTTP/1,1'), refuse: 400 },
  { name: 'lower-case http/1.1', bytes: line('GET / http/1.1'), refuse: 400 },
  { name: 'HTTPS/1.1', bytes: line('GET / HTTPS/1.1'), refuse: 400 },
  { name: 'no version', bytes: line('GET /'), refuse: 400 },
  { name: 'bare LF after the request line', bytes: `GET / HTTP/1.1\n${HOST}\r\n`, refuse: 400 },
  { name: 'bare CR in the request line', bytes: `GET /\rHTTP/1.1\r\n${HOST}\r\n`, refuse: 400 },
  { name: 'bare CR after the request line', bytes: `GET / HTTP/1.1\r${HOST}\r\n`, refuse: 400 },
  { name: 'bare LF everywhere', bytes: 'GET / HTTP/1.1\nHost: example.com\n\n', refuse: 400 },
  { name: 'target over its bound', bytes: line(`GET /${'a'.repeat(16_384)} HTTP/1.1`), refuse: 414 },
  { name: 'endless request line', bytes: `GET /${'a'.repeat(40_000)}`, refuse: 414 },
];

const fieldLines: RefusedCase[] = [
  { name: 'space before the colon', bytes: get('A : b\r\n'), refuse: 400 },
  { name: 'tab before the colon', bytes: get('A\t: b\r\n'), refuse: 400 },
  {
    name: 'space before the colon of Content-Length',
    bytes: post('Content-Length : 5\r\n', 'hello'),
    refuse: 400,
  },
  {
    name: 'space before the colon of Transfer-Encoding',
    bytes: post('Transfer-Encoding : chunked\r\n', '0\r\n\r\n'),
    refuse: 400,
  },
  { name: 'folded line', bytes: get('A: b\r\n c\r\n'), refuse: 400 },
  { name: 'line folded by a tab', bytes: get('A: b\r\n\tc\r\n'), refuse: 400 },
  { name: 'first line folded', bytes: `GET / HTTP/1.1\r\n ${HOST}\r\n`, refuse: 400 },
  {
    name: 'Transfer-Encoding folded',
    bytes: post('Transfer-Encoding:\r\n chunked\r\n', '0\r\n\r\n'),
    refuse: 400,
  },
  { name: 'no colon', bytes: get('A\r\n'), refuse: 400 },
  { name: 'empty name', bytes: get(': b\r\n'), refuse: 400 },
  { name: 'space in the name', bytes: get('A b: c\r\n'), refuse: 400 },
  { name: 'bracket in the name', bytes: get('A[b]: c\r\n'), refuse: 400 },
  { name: 'NUL in the name', bytes: get('A\0: c\r\n'), refuse: 400 },
  { name: 'byte above 127 in the name', bytes: get('\xc0A: c\r\n'), refuse: 400 },
  { name: 'NUL in the value', bytes: get('A: b\0c\r\n'), refuse: 400 },
  { name: 'control character in the value', bytes: get('A: b\x01c\r\n'), refuse: 400 },
  { name: 'vertical tab in the value', bytes: get('A: b\x0bc\r\n'), refuse: 400 },
  { name: 'DEL in the value', bytes: get('A: b\x7fc\r\n'), refuse: 400 },
  { name: 'bare CR in the value', bytes: get('A: b\rc\r\n'), refuse: 400 },
  { name: 'bare CR before a hidden field', bytes: get('A: b\rTransfer-Encoding: chunked\r\n'), refuse: 400 },
  { name: 'bare LF in the value', bytes: get('A: b\nc\r\n'), refuse: 400 },
  { name: 'bare LF before a hidden field', bytes: get('A: b\nTransfer-Encoding: chunked\r\n'), refuse: 400 },
  { name: 'CR CR LF', bytes: get('A: b\r\r\n'), refuse: 400 },
  { name: 'LF before CRLF', bytes: get('A: b\n\r\n'), refuse: 400 },
  { name: 'empty line of a bare LF', bytes: `GET / HTTP/1.1\r\n${HOST}\n`, refuse: 400 },
  { name: 'empty line of a bare LF, HTTP/1.0', bytes: 'GET / HTTP/1.0\r\n\n', refuse: 400 },
  { name: '201 field lines', bytes: get('A: b\r\n'.repeat(200)), refuse: 431 },
  { name: 'a value over the bound', bytes: get(`A: ${'b'.repeat(33_000)}\r\n`), refuse: 431 },
  { name: 'a name over the bound', bytes: get(`${'a'.repeat(33_000)}: b\r\n`), refuse: 431 },
  {
    name: 'endless field lines',
    bytes: `GET / HTTP/1.1\r\n${HOST}${`A: ${'b'.repeat(996)}\r\n`.repeat(40)}`,
    refuse: 431,
  },
];

const hosts: RefusedCase[] = [
  { name: 'no Host', bytes: 'GET / HTTP/1.1\r\n\r\n', refuse: 400 },
  { name: 'two Host lines', bytes: `GET / HTTP/1.1\r\n${HOST}Host: other.example\r\n\r\n`, refuse: 400 },
  { name: 'two equal Host lines', bytes: `GET / HTTP/1.1\r\n${HOST}${HOST}\r\n`, refuse: 400 },
  {
    name: 'two Host lines of other case',
    bytes: `GET / HTTP/1.1\r\n${HOST}hOST: example.com\r\n\r\n`,
    refuse: 400,
  },
  { name: 'two Host lines on HTTP/1.0', bytes: `GET / HTTP/1.0\r\n${HOST}${HOST}\r\n`, refuse: 400 },
  { name: 'absolute-form and no Host', bytes: 'GET http://example.com/ HTTP/1.1\r\n\r\n', refuse: 400 },
  { name: 'empty Host', bytes: withHost(''), refuse: 400 },
  { name: 'two hosts in one Host', bytes: withHost('a.example, b.example'), refuse: 400 },
  { name: 'user information in Host', bytes: withHost('u@example.com'), refuse: 400 },
  { name: 'path in Host', bytes: withHost('example.com/../b'), refuse: 400 },
  { name: 'query in Host', bytes: withHost('?'), refuse: 400 },
  { name: 'fragment in Host', bytes: withHost('example.com#'), refuse: 400 },
  { name: 'space in Host', bytes: withHost('example .com'), refuse: 400 },
  { name: 'scheme in Host', bytes: withHost('http://example.com'), refuse: 400 },
  { name: 'percent-encoding in Host', bytes: withHost('example%2ecom'), refuse: 400 },
  { name: 'backslash in Host', bytes: withHost('example\\com'), refuse: 400 },
  { name: 'byte above 127 in Host', bytes: withHost('ex\xe4mple.com'), refuse: 400 },
  { name: 'port too large', bytes: withHost('example.com:65536'), refuse: 400 },
  { name: 'port of letters', bytes: withHost('example.com:http'), refuse: 400 },
  { name: 'two ports', bytes: withHost('example.com:80:80'), refuse: 400 },
  { name: 'port alone', bytes: withHost(':80'), refuse: 400 },
  { name: 'IPv6 without brackets', bytes: withHost('2001:db8::1'), refuse: 400 },
  { name: 'bracket not closed', bytes: withHost('[2001:db8::1'), refuse: 400 },
  { name: 'IPv6 with zone', bytes: withHost('[fe80::1%25lo]'), refuse: 400 },
  { name: 'name in brackets', bytes: withHost('[example.com]'), refuse: 400 },
  { name: 'Host longer than any name', bytes: withHost('a'.repeat(262)), refuse: 400 },
];

const framing: RefusedCase[] = [
  {
    name: 'Content-Length and Transfer-Encoding',
    bytes: post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    refuse: 400,
  },
  {
    name: 'Transfer-Encoding and Content-Length',
    bytes: post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', '0\r\n\r\n'),
    refuse: 400,
  },
  {
    name: 'Content-Length 0 and Transfer-Encoding',
    bytes: post('Content-Length: 0\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    refuse: 400,
  },
  {
    name: 'empty Transfer-Encoding and Content-Length',
    bytes: post('Transfer-Encoding:\r\nContent-Length: 5\r\n', 'hello'),
    refuse: 400,
  },
  { name: 'gzip, chunked', bytes: withCoding('gzip, chunked'), refuse: 501 },
  { name: 'chunked, gzip', bytes: withCoding('chunked, gzip'), refuse: 400 },
  { name: 'chunked, chunked', bytes: withCoding('chunked, chunked'), refuse: 400 },
  { name: 'gzip', bytes: withCoding('gzip'), refuse: 400 },
  { name: 'identity', bytes: withCoding('identity'), refuse: 400 },
  { name: 'identity, chunked', bytes: withCoding('identity, chunked'), refuse: 501 },
  { name: 'xchunked', bytes: withCoding('xchunked'), refuse: 400 },
  { name: 'chunkedx', bytes: withCoding('chunkedx'), refuse: 400 },
  { name: 'quoted chunked', bytes: withCoding('"chunked"'), refuse: 400 },
  { name: 'chunked with a parameter', bytes: withCoding('chunked;q=1'), refuse: 400 },
  { name: 'chunked and a comma', bytes: withCoding('chunked,'), refuse: 400 },
  { name: 'a comma and chunked', bytes: withCoding(',chunked'), refuse: 400 },
  { name: 'chunked and a vertical tab', bytes: withCoding('\x0bchunked'), refuse: 400 },
  { name: 'empty Transfer-Encoding', bytes: withCoding(''), refuse: 400 },
  {
    name: 'two Transfer-Encoding lines',
    bytes: post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    refuse: 400,
  },
  {
    name: 'two different Transfer-Encoding lines',
    bytes: post('Transfer-Encoding: x\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n'),
    refuse: 400,
  },
  {
    name: 'Transfer-Encoding on HTTP/1.0',
    bytes: `POST / HTTP/1.0\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    refuse: 400,
  },
  {
    name: 'two different Content-Length lines',
    bytes: post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello'),
    refuse: 400,
  },
  {
    name: 'two equal Content-Length lines',
    bytes: post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello'),
    refuse: 400,
  },
  { name: 'equal list in Content-Length', bytes: withLength('5, 5'), refuse: 400 },
  { name: 'different list in Content-Length', bytes: withLength('5, 6'), refuse: 400 },
  { name: 'plus sign in Content-Length', bytes: withLength('+5'), refuse: 400 },
  { name: 'minus sign in Content-Length', bytes: withLength('-1'), refuse: 400 },
  { name: 'hexadecimal Content-Length', bytes: withLength('0x5'), refuse: 400 },
  { name: 'space in Content-Length', bytes: withLength('5 5'), refuse: 400 },
  { name: 'fraction in Content-Length', bytes: withLength('5.0'), refuse: 400 },
  { name: 'exponent in Content-Length', bytes: withLength('5e0'), refuse: 400 },
  { name: 'underscore in Content-Length', bytes: withLength('1_0'), refuse: 400 },
  { name: 'empty Content-Length', bytes: withLength(''), refuse: 400 },
  { name: 'Content-Length beyond 2^53', bytes: withLength('9007199254740993'), refuse: 400 },
  { name: 'Content-Length beyond 2^64', bytes: withLength('18446744073709551621'), refuse: 400 },
  { name: 'Content-Length of letters', bytes: withLength('five'), refuse: 400 },
  { name: 'Content-Length over the bound', bytes: withLength('1000001'), refuse: 413 },
  {
    name: 'unknown expectation',
    bytes: post('Expect: 200-ok\r\nContent-Length: 5\r\n', 'hello'),
    refuse: 417,
  },
  { name: 'empty expectation', bytes: get('Expect:\r\n'), refuse: 417 },
  {
    name: 'two expectations',
    bytes: post('Expect: 100-continue, x\r\nContent-Length: 5\r\n', 'hello'),
    refuse: 417,
  },
];

/** The head is right, so the road has the request; reading its body fails with the status it then answers. */
const chunks: RefusedCase[] = [
  { name: 'empty chunk size', bytes: chunked('\r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk size with a space before', bytes: chunked(' 5\r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk size with a space after', bytes: chunked('5 \r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk size with a plus sign', bytes: chunked('+5\r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk size with a minus sign', bytes: chunked('-5\r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk size with 0x', bytes: chunked('0x5\r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk size no number', bytes: chunked('g\r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk size over 2^64', bytes: chunked('10000000000000005\r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk size over 2^53', bytes: chunked('ffffffffffffffff\r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk size ended by a bare LF', bytes: chunked('5\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk size ended by a bare CR', bytes: chunked('5\rhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk without CRLF', bytes: chunked('5\r\nhello0\r\n\r\n'), refuse: 400 },
  { name: 'chunk ended by a bare LF', bytes: chunked('5\r\nhello\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk longer than its size', bytes: chunked('5\r\nhelloworld\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'chunk shorter than its size', bytes: chunked('9\r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'extension with a bare LF', bytes: chunked('5;a\nb\r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  { name: 'extension with NUL', bytes: chunked('5;a\0\r\nhello\r\n0\r\n\r\n'), refuse: 400 },
  {
    name: 'extension of 20 KB',
    bytes: chunked(`5;${'a'.repeat(20_000)}\r\nhello\r\n0\r\n\r\n`),
    refuse: 400,
  },
  { name: 'last chunk ended by a bare LF', bytes: chunked('5\r\nhello\r\n0\n\r\n'), refuse: 400 },
  { name: 'end of the body by a bare LF', bytes: chunked('5\r\nhello\r\n0\r\n\n'), refuse: 400 },
  { name: 'trailer with a space before the colon', bytes: chunked('0\r\nA : b\r\n\r\n'), refuse: 400 },
  { name: 'folded trailer', bytes: chunked('0\r\nA: b\r\n c\r\n\r\n'), refuse: 400 },
  { name: 'trailer with a bare LF', bytes: chunked('0\r\nA: b\n\r\n'), refuse: 400 },
  { name: 'trailer without colon', bytes: chunked('0\r\nhello\r\n\r\n'), refuse: 400 },
  { name: 'trailers over the bound', bytes: chunked(`0\r\nA: ${'b'.repeat(9000)}\r\n\r\n`), refuse: 400 },
  {
    name: 'chunked body over the bound',
    bytes: chunked(`f4241\r\n${'b'.repeat(1_000_001)}\r\n0\r\n\r\n`),
    refuse: 413,
  },
];

const right: AcceptedCase[] = [
  { name: 'a plain GET', bytes: get(''), accept: ['GET / example.com 0'] },
  {
    name: 'two pipelined GETs',
    bytes: get('', '/1') + get('', '/2'),
    accept: ['GET /1 example.com 0', 'GET /2 example.com 0'],
  },
  {
    name: 'a GET behind a POST',
    bytes: withLength('5') + get('', '/2'),
    accept: ['POST / example.com 5', 'GET /2 example.com 0'],
  },
  {
    name: 'a GET behind a chunked POST',
    bytes: chunked('5\r\nhello\r\n0\r\n\r\n') + get('', '/2'),
    accept: ['POST / example.com 5', 'GET /2 example.com 0'],
  },
  {
    name: 'a hundred pipelined GETs',
    bytes: get('').repeat(100),
    accept: Array<string>(100).fill('GET / example.com 0'),
  },
  { name: 'GET with a body', bytes: `${get('Content-Length: 5\r\n')}hello`, accept: ['GET / example.com 5'] },
  {
    name: 'a body that looks like a request',
    bytes: post(`Content-Length: ${get('').length}\r\n`, get('')),
    accept: [`POST / example.com ${get('').length}`],
  },
  { name: 'Content-Length 0', bytes: withLengthZero(), accept: ['POST / example.com 0'] },
  { name: 'leading zeros in Content-Length', bytes: withLength('0005'), accept: ['POST / example.com 5'] },
  {
    name: 'optional white space around Content-Length',
    bytes: post('Content-Length:\t 5 \t\r\n', 'hello'),
    accept: ['POST / example.com 5'],
  },
  {
    name: 'Chunked in capitals',
    bytes: post('Transfer-Encoding: CHUNKED\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    accept: ['POST / example.com 5'],
  },
  {
    name: 'chunked behind a tab',
    bytes: post('Transfer-Encoding:\tchunked\r\n', '5\r\nhello\r\n0\r\n\r\n'),
    accept: ['POST / example.com 5'],
  },
  {
    name: 'leading zeros in the chunk size',
    bytes: chunked('0005\r\nhello\r\n000\r\n\r\n'),
    accept: ['POST / example.com 5'],
  },
  {
    name: 'chunk sizes in both cases',
    bytes: chunked(`a\r\n${'x'.repeat(10)}\r\nB\r\n${'x'.repeat(11)}\r\n0\r\n\r\n`),
    accept: ['POST / example.com 21'],
  },
  {
    name: 'chunk extensions',
    bytes: chunked('5;a=b;c="d"\r\nhello\r\n0;e\r\n\r\n'),
    accept: ['POST / example.com 5'],
  },
  {
    name: 'trailers',
    bytes: chunked('5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n'),
    accept: ['POST / example.com 5'],
  },
  {
    name: 'Transfer_Encoding is another field',
    bytes: post('Transfer_Encoding: chunked\r\nContent-Length: 5\r\n', 'hello'),
    accept: ['POST / example.com 5'],
  },
  { name: 'unknown method FOO', bytes: line('FOO /a HTTP/1.1'), accept: ['FOO /a example.com 0'] },
  {
    name: 'unknown method M-SEARCH',
    bytes: line('M-SEARCH / HTTP/1.1'),
    accept: ['M-SEARCH / example.com 0'],
  },
  { name: 'PURGE', bytes: line('PURGE /a HTTP/1.1'), accept: ['PURGE /a example.com 0'] },
  { name: 'TRACE', bytes: line('TRACE / HTTP/1.1'), accept: ['TRACE / example.com 0'] },
  {
    name: 'QUERY with a body',
    bytes: `QUERY / HTTP/1.1\r\n${HOST}Content-Length: 2\r\n\r\nhi`,
    accept: ['QUERY / example.com 2'],
  },
  {
    name: 'lower-case get is another method',
    bytes: line('get / HTTP/1.1'),
    accept: ['get / example.com 0'],
  },
  { name: 'OPTIONS *', bytes: line('OPTIONS * HTTP/1.1'), accept: ['OPTIONS * example.com 0'] },
  {
    name: 'absolute-form wins over Host',
    bytes: line('GET http://Other.Example:81/a?b HTTP/1.1'),
    accept: ['GET http://Other.Example:81/a?b other.example:81 0'],
  },
  {
    name: 'absolute-form without path',
    bytes: line('GET HTTP://other.example HTTP/1.1'),
    accept: ['GET HTTP://other.example other.example 0'],
  },
  {
    name: 'absolute-form with a query alone',
    bytes: line('GET http://other.example?a HTTP/1.1'),
    accept: ['GET http://other.example?a other.example 0'],
  },
  {
    name: 'dots and encodings are kept',
    bytes: line('GET /../a/./%2e%2E//b%2Fc?x=%00 HTTP/1.1'),
    accept: ['GET /../a/./%2e%2E//b%2Fc?x=%00 example.com 0'],
  },
  {
    name: 'unwise characters are kept',
    bytes: line('GET /"<>\\^`{|}[] HTTP/1.1'),
    accept: ['GET /"<>\\^`{|}[] example.com 0'],
  },
  {
    name: 'bytes above 127 in the target are kept',
    bytes: line('GET /\xe4\xff\x80 HTTP/1.1'),
    accept: ['GET /\xe4\xff\x80 example.com 0'],
  },
  { name: 'double slash', bytes: line('GET //a HTTP/1.1'), accept: ['GET //a example.com 0'] },
  {
    name: 'the longest target',
    bytes: line(`GET /${'a'.repeat(16_383)} HTTP/1.1`),
    accept: [`GET /${'a'.repeat(16_383)} example.com 0`],
  },
  { name: 'Host in capitals', bytes: withHost('EXAMPLE.Com'), accept: ['GET / example.com 0'] },
  { name: 'Host with port', bytes: withHost('example.com:8080'), accept: ['GET / example.com:8080 0'] },
  { name: 'Host with an empty port', bytes: withHost('example.com:'), accept: ['GET / example.com 0'] },
  { name: 'Host of an IPv4 address', bytes: withHost('192.0.2.1:80'), accept: ['GET / 192.0.2.1:80 0'] },
  {
    name: 'Host of an IPv6 address',
    bytes: withHost('[2001:DB8::1]:80'),
    accept: ['GET / [2001:db8::1]:80 0'],
  },
  { name: 'Host with an underscore', bytes: withHost('a_b.example'), accept: ['GET / a_b.example 0'] },
  {
    name: 'host in any case',
    bytes: 'GET / HTTP/1.1\r\nhOsT:example.com\r\n\r\n',
    accept: ['GET / example.com 0'],
  },
  { name: 'no space behind the colon', bytes: get('A:b\r\n'), accept: ['GET / example.com 0'] },
  { name: 'empty value', bytes: get('A:\r\n'), accept: ['GET / example.com 0'] },
  { name: 'bytes above 127 in a value', bytes: get('A: \xe4\xff\r\n'), accept: ['GET / example.com 0'] },
  { name: '199 further field lines', bytes: get('A: b\r\n'.repeat(199)), accept: ['GET / example.com 0'] },
  { name: 'a large head', bytes: get(`A: ${'b'.repeat(31_000)}\r\n`), accept: ['GET / example.com 0'] },
  {
    name: 'Connection: keep-alive',
    bytes: get('Connection: keep-alive\r\n'),
    accept: ['GET / example.com 0'],
  },
  {
    name: 'Upgrade is not taken up',
    bytes: get('Connection: Upgrade\r\nUpgrade: h2c\r\n'),
    accept: ['GET / example.com 0'],
  },
  { name: 'Expect without a body', bytes: get('Expect: 100-continue\r\n'), accept: ['GET / example.com 0'] },
  {
    name: 'HTTP/1.0 that wishes to persist',
    bytes: `GET / HTTP/1.0\r\n${HOST}Connection: Keep-Alive\r\n\r\n`,
    accept: ['GET / example.com 0'],
  },
  {
    name: 'HTTP/1.0 without Host',
    bytes: 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
    accept: ['GET /  0'],
  },
  {
    name: 'Expect on HTTP/1.0 is ignored',
    bytes: `POST / HTTP/1.0\r\n${HOST}Connection: keep-alive\r\nExpect: x\r\nContent-Length: 5\r\n\r\nhello`,
    accept: ['POST / example.com 5'],
  },
];

function withLengthZero(): string {
  return post('Content-Length: 0\r\n', '');
}

export const REFUSED_CASES: readonly RefusedCase[] = [
  ...requestLines,
  ...fieldLines,
  ...hosts,
  ...framing,
  ...chunks,
];
export const ACCEPTED_CASES: readonly AcceptedCase[] = right;
