/** The form of a site's hosts, origins, stale answers, WebSockets and secure connections. */
import TrashIcon from '@heroicons/react/24/outline/TrashIcon';
import { ActionIcon, Button, Group, SimpleGrid, Stack, Switch, TagsInput, TextInput } from '@mantine/core';
import { type UseFormReturnType, useForm } from '@mantine/form';
import type { SiteView } from '#core/contract/sites.ts';
import { useChangeSite } from '../../api/mutations.ts';
import { Panel } from '../../components/panel.tsx';
import { refusalErrors, WHOLE_FORM } from '../../forms/form-errors.ts';
import { FormMessage } from '../../forms/form-message.tsx';
import { fieldOfSetting, type SettingsValues, settingsErrors, toPatch, toValues } from './settings-values.ts';
import classes from './site.module.css';
import { TlsFields } from './tls-fields.tsx';

type SettingsFormState = UseFormReturnType<SettingsValues>;

function OriginFields(props: { readonly form: SettingsFormState; readonly index: number }) {
  const { form, index } = props;
  const isOnly = form.values.origins.length === 1;
  return (
    <div className={classes.origin}>
      <TextInput
        label={index === 0 ? 'Origin' : `Origin ${index + 1}, when those before cannot be reached`}
        placeholder="https://origin.example.com"
        {...form.getInputProps(`origins.${index}.url`)}
      />
      <TextInput
        label="Host sent to it"
        placeholder="the host the user asked for"
        {...form.getInputProps(`origins.${index}.hostHeader`)}
      />
      <Switch
        label="Verify its certificate"
        {...form.getInputProps(`origins.${index}.verifyCertificate`, { type: 'checkbox' })}
      />
      <Switch label="HTTP/2" {...form.getInputProps(`origins.${index}.http2`, { type: 'checkbox' })} />
      <ActionIcon
        variant="subtle"
        color="gray"
        size="lg"
        aria-label={`Remove origin ${index + 1}`}
        disabled={isOnly}
        onClick={() => form.removeListItem('origins', index)}
      >
        <TrashIcon width={18} />
      </ActionIcon>
    </div>
  );
}

function StaleFields({ form }: { readonly form: SettingsFormState }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      <TextInput
        label="Answer stale while asking the origin anew"
        description="For how long after a response has become stale; 0s: never"
        {...form.getInputProps('staleWhileRevalidate')}
      />
      <TextInput
        label="Answer stale when the origin fails"
        description="For how long a stored response may cover for it"
        {...form.getInputProps('staleIfError')}
      />
    </SimpleGrid>
  );
}

export function SettingsForm({ site }: { readonly site: SiteView }) {
  const change = useChangeSite(site.id);
  const form = useForm<SettingsValues>({ initialValues: toValues(site), validate: settingsErrors });
  const submit = form.onSubmit((values) =>
    change.mutate(toPatch(values), {
      onSuccess: () => form.resetDirty(),
      onError: (error) => form.setErrors(refusalErrors(error, fieldOfSetting)),
    }),
  );
  return (
    <Panel title="Hosts and origins" description="Changes reach every edge within moments.">
      <form onSubmit={submit} noValidate>
        <Stack gap="lg">
          <TagsInput
            label="Hosts"
            description="The names users type. Enter adds one."
            {...form.getInputProps('hosts')}
            value={[...form.values.hosts]}
          />
          <Stack gap="sm">
            {form.values.origins.map((_, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: origins have no other name than their place
              <OriginFields key={index} form={form} index={index} />
            ))}
            <Group>
              <Button
                variant="light"
                size="compact-sm"
                onClick={() =>
                  form.insertListItem('origins', {
                    url: '',
                    hostHeader: '',
                    verifyCertificate: true,
                    http2: false,
                    timeouts: null,
                  })
                }
              >
                Add an origin to fall back on
              </Button>
            </Group>
          </Stack>
          <StaleFields form={form} />
          <Switch
            label="WebSockets"
            description="Users may open them to the origin, through the edges"
            {...form.getInputProps('webSockets', { type: 'checkbox' })}
          />
          <TlsFields form={form} />
          <FormMessage message={form.errors[WHOLE_FORM]} />
          <Group>
            <Button type="submit" loading={change.isPending} disabled={!form.isDirty()}>
              Save changes
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}
