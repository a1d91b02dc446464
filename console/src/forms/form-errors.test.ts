import { describe, expect, test } from 'bun:test';
import { ApiError } from '#core/contract/errors.ts';
import { siteBodySchema } from '#core/contract/sites.ts';
import { refusalErrors, schemaErrors } from './form-errors.ts';

const fieldOf = (path: string) =>
  path.startsWith('hosts') ? 'host' : path === 'origins[0].url' ? 'origin' : null;

describe('errors of a form', () => {
  test('stand beside the field the schema speaks of', () => {
    const body = { id: 'shop', hosts: ['https://shop.example.com'], origins: [{ url: 'nowhere' }] };
    const errors = schemaErrors(siteBodySchema, body, fieldOf);
    expect(Object.keys(errors).sort()).toEqual(['host', 'origin']);
    expect(errors.host).toContain('host name');
    const fixed = { id: 'shop', hosts: ['shop.example.com'], origins: [{ url: 'http://192.0.2.1' }] };
    expect(schemaErrors(siteBodySchema, fixed, fieldOf)).toEqual({});
  });

  test('a refusal goes to its fields, or keeps its sentence', () => {
    const details = [{ path: 'hosts[0]', message: 'is taken by the site "blog"' }];
    expect(refusalErrors(new ApiError('conflict', 'no', details), fieldOf)).toEqual({
      host: 'is taken by the site "blog"',
    });
    expect(refusalErrors(new ApiError('conflict', 'the id is taken'), fieldOf)).toEqual({
      '': 'the id is taken',
    });
    expect(refusalErrors(new Error('no answer'), fieldOf)).toEqual({ '': 'no answer' });
  });
});
