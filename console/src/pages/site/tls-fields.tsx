/** What a site asks of secure connections: the oldest version, and certificates that users show. */
import { Select, Switch, Textarea } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { SettingsValues } from './settings-values.ts';

const MODES = [
  { value: 'off', label: 'Not asked for' },
  { value: 'request', label: 'Asked for; the origin decides' },
  { value: 'require', label: 'Required' },
] as const satisfies readonly {
  readonly value: SettingsValues['clientCertificates'];
  readonly label: string;
}[];

export function TlsFields({ form }: { readonly form: UseFormReturnType<SettingsValues> }) {
  return (
    <>
      <Switch
        label="TLS 1.3 only"
        description="Users who can speak no more than TLS 1.2 are turned away"
        {...form.getInputProps('isTls13Only', { type: 'checkbox' })}
      />
      <Select
        label="Certificates of users"
        data={MODES}
        allowDeselect={false}
        {...form.getInputProps('clientCertificates')}
      />
      {form.values.clientCertificates !== 'off' && (
        <Textarea
          label="Issued by"
          description="Certificates of the authorities that are trusted, as PEM"
          placeholder="-----BEGIN CERTIFICATE-----"
          autosize
          minRows={3}
          maxRows={10}
          {...form.getInputProps('clientAuthorities')}
        />
      )}
    </>
  );
}
