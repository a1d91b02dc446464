/** The form of how a site is cached where no rule says otherwise. */
import { Button, Group, Stack } from '@mantine/core';
import { useForm } from '@mantine/form';
import { type SiteView, sitePatchSchema } from '#core/contract/sites.ts';
import { useChangeSite } from '../../api/mutations.ts';
import { Panel } from '../../components/panel.tsx';
import { refusalErrors, schemaErrors, WHOLE_FORM } from '../../forms/form-errors.ts';
import { FormMessage } from '../../forms/form-message.tsx';
import { CachingFields } from './caching-fields.tsx';
import {
  type CachingValues,
  fieldOfCaching,
  toCachingValues,
  toSiteCaching,
  typingErrors,
} from './caching-values.ts';

function validate(values: CachingValues): Record<string, string> {
  return { ...schemaErrors(sitePatchSchema, toSiteCaching(values), fieldOfCaching), ...typingErrors(values) };
}

export function CachingForm({ site }: { readonly site: SiteView }) {
  const change = useChangeSite(site.id);
  const form = useForm<CachingValues>({ initialValues: toCachingValues(site), validate });
  const submit = form.onSubmit((values) =>
    change.mutate(toSiteCaching(values), {
      onSuccess: () => form.resetDirty(),
      onError: (error) => form.setErrors(refusalErrors(error, fieldOfCaching)),
    }),
  );
  return (
    <Panel title="Caching" description="For all of the site. Rules may say otherwise for some of it.">
      <form onSubmit={submit} noValidate>
        <Stack gap="lg">
          <CachingFields form={form} isRule={false} />
          <FormMessage message={form.errors[WHOLE_FORM]} />
          <Group>
            <Button type="submit" loading={change.isPending} disabled={!form.isDirty()}>
              Save caching
            </Button>
          </Group>
        </Stack>
      </form>
    </Panel>
  );
}
