/** Adds a site in two answers, host and origin, and then says what to do in the owner's DNS. */
import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { useForm } from '@mantine/form';
import { useState } from 'react';
import { type SiteView, siteBodySchema } from '#core/contract/sites.ts';
import { siteIdFromHost } from '#core/model/site-from-host.ts';
import { useAddSite } from '../../api/mutations.ts';
import { useStatus } from '../../api/queries.ts';
import { refusalErrors, schemaErrors, WHOLE_FORM } from '../../forms/form-errors.ts';
import { FormMessage } from '../../forms/form-message.tsx';
import { NextStep } from './next-step.tsx';

interface AddSiteDialogProps {
  readonly isOpen: boolean;
  readonly onClose: () => void;
}

interface FormValues {
  readonly host: string;
  readonly originUrl: string;
  /** Empty: the proposed one. */
  readonly id: string;
}

/** The id that is proposed: the same that the command line takes. */
function proposeId(host: string, zone: string): string {
  return siteIdFromHost(host.trim().toLowerCase(), zone);
}

function toBody(values: FormValues, zone: string) {
  return {
    id: values.id.trim() || proposeId(values.host, zone),
    hosts: [values.host],
    origins: [{ url: values.originUrl }],
  };
}

function fieldOf(path: string): string | null {
  if (path.startsWith('hosts')) return 'host';
  if (path.startsWith('origins')) return 'originUrl';
  return path === 'id' ? 'id' : null;
}

function validate(values: FormValues, zone: string): Record<string, string> {
  const errors = schemaErrors(siteBodySchema, toBody(values, zone), fieldOf);
  // Without a host there is no id to propose; that is no fault of the id's.
  if (errors.host !== undefined && values.id.trim() === '') delete errors.id;
  return errors;
}

function AddSiteForm(props: { readonly onAdded: (site: SiteView) => void; readonly onClose: () => void }) {
  const addSite = useAddSite();
  const zone = useStatus().data?.zone ?? '';
  const form = useForm<FormValues>({
    initialValues: { host: '', originUrl: '', id: '' },
    validate: (values) => validate(values, zone),
    validateInputOnBlur: true,
  });
  const submit = form.onSubmit((values) =>
    addSite.mutate(toBody(values, zone), {
      onSuccess: props.onAdded,
      onError: (error) => form.setErrors(refusalErrors(error, fieldOf)),
    }),
  );
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <TextInput
          label="Host name"
          description="The name your users type"
          placeholder="www.example.com"
          data-autofocus
          {...form.getInputProps('host')}
        />
        <TextInput
          label="Origin"
          description="The server that has the content, without a path"
          placeholder="https://origin.example.com"
          {...form.getInputProps('originUrl')}
        />
        <TextInput
          label="Id"
          description="Names the site in the API and begins its CNAME"
          placeholder={proposeId(form.values.host, zone) || 'www-example-com'}
          {...form.getInputProps('id')}
        />
        <FormMessage message={form.errors[WHOLE_FORM]} />
        <Group justify="flex-end">
          <Button variant="default" onClick={props.onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={addSite.isPending}>
            Add site
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

export function AddSiteDialog({ isOpen, onClose }: AddSiteDialogProps) {
  const [added, setAdded] = useState<SiteView | null>(null);
  return (
    <Modal
      opened={isOpen}
      onClose={onClose}
      onExitTransitionEnd={() => setAdded(null)}
      title={added === null ? 'Add a site' : `${added.hosts[0]} is set up`}
      size="lg"
    >
      {added === null ? <AddSiteForm onAdded={setAdded} onClose={onClose} /> : <NextStep site={added} />}
    </Modal>
  );
}
