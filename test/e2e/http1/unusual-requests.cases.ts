/**
 * Requests that are right though some are unusual: bytes, and what the echoing handler of the tests answers
 * to each request in them: method, target, authority and body length. The next request is answered too.
 */
import { chunked, get, HOST, line, post, withHost, withLength } from './request-text.ts';

export interface AcceptedCase {
  readonly name: string;
  readonly bytes: string;
  readonly accept: readonly string[];
}

export const ACCEPTED_CASES: readonly AcceptedCase[] = [
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
  { name: 'Content-Length 0', bytes: post('Content-Length: 0\r\n', ''), accept: ['POST / example.com 0'] },
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
