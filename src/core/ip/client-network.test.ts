import { expect, test } from 'bun:test';
import { clientNetwork } from './client-network.ts';

test('IPv4 addresses count one by one, also where an IPv6 socket accepted them', () => {
  expect(clientNetwork('192.0.2.1')).toBe('192.0.2.1');
  expect(clientNetwork('::ffff:192.0.2.1')).toBe('192.0.2.1');
  expect(clientNetwork('::ffff:c000:201')).toBe('192.0.2.1');
  expect(clientNetwork('192.0.2.2')).not.toBe(clientNetwork('192.0.2.1'));
});

test('IPv6 addresses count by their /64, however they are written', () => {
  const one = clientNetwork('2001:db8:1:2::1');
  for (const same of ['2001:db8:1:2:ffff:ffff:ffff:ffff', '2001:0DB8:1:2:0:0:0:5', '2001:db8:1:2::1%eth0']) {
    expect(clientNetwork(same)).toBe(one);
  }
  for (const other of ['2001:db8:1:3::1', '2001:db8:2:2::1', '::1', 'fe80::1']) {
    expect(clientNetwork(other)).not.toBe(one);
  }
});

test('what is no address counts as itself', () => {
  for (const text of ['', 'x', ':::', '2001:db8']) expect(clientNetwork(text)).toBe(text);
});
