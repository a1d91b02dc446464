import { describe, expect, test } from 'bun:test';
import { makePage, unknownHostText } from './pages.ts';

describe('pages', () => {
  test('what strangers sent cannot become markup', () => {
    const { head, body } = makePage(unknownHostText('<script>&"\''));
    const html = new TextDecoder().decode(body);
    expect(head.status).toBe(421);
    expect(html).toContain('&lt;script&gt;&amp;&quot;&#39;');
    expect(html).not.toContain('<script>');
  });

  test('nobody stores them', () => {
    expect(makePage(unknownHostText('')).head.fields.get('cache-control')).toBe('no-store');
  });
});
