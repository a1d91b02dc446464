/**
 * Thousands of certificates in a moment: one is made, and all others are the same with another host and their own
 * signature (RFC 5280 §4.1: what is signed, the algorithm, the signature). They share a key and sign themselves.
 */
import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import type { Certificate } from '#core/model/snapshot.ts';
import { createTestAuthority } from './test-authority.ts';

/** For the hosts h00000.test, h00001.test, … */
export async function makeManyCertificates(count: number): Promise<Certificate[]> {
  const hostOf = (index: number): string => `h${String(index).padStart(5, '0')}.test`;
  const { key, cert } = await (await createTestAuthority()).issue([hostOf(0)]);
  const privateKey = createPrivateKey(key);
  const whole = new X509Certificate(cert).raw;
  const signedPart = whole.subarray(4, 4 + 4 + whole.readUInt16BE(4 + 2));
  const algorithm = whole.subarray(4 + signedPart.length, 4 + signedPart.length + 12);
  const hostAt = signedPart.indexOf(hostOf(0));
  return Array.from({ length: count }, (_, index) => {
    const host = hostOf(index);
    signedPart.write(host, hostAt, 'latin1');
    const signature = sign('sha256', signedPart, privateKey);
    const bits = Buffer.concat([Buffer.from([0x03, signature.length + 1, 0]), signature]);
    const content = Buffer.concat([signedPart, algorithm, bits]);
    const header = Buffer.from([0x30, 0x82, content.length >> 8, content.length & 0xff]);
    const base64 = Buffer.concat([header, content]).toString('base64').replace(/.{64}/g, '$&\n');
    const certificatePem = `-----BEGIN CERTIFICATE-----\n${base64}\n-----END CERTIFICATE-----\n`;
    return { hosts: [host], certificatePem, privateKeyPem: key };
  });
}
