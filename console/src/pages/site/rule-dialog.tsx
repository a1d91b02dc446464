/** Adds or changes one cache rule. Durations are typed as people write them: 10m, 1h, 7 days. */
import { Button, Group, Modal, Select, SimpleGrid, Stack, Text, TextInput } from '@mantine/core';
import { type UseFormReturnType, useForm } from '@mantine/form';
import { useState } from 'react';
import type { SiteView } from '#core/contract/sites.ts';
import { describeCaching } from '#core/model/caching-text.ts';
import { type Rule, ruleSchema } from '#core/model/site.ts';
import { useChangeSite } from '../../api/mutations.ts';
import { durationToTyped, formatLifetime, parseDuration } from '../../format/duration.ts';
import { refusalErrors, schemaErrors, WHOLE_FORM } from '../../forms/form-errors.ts';
import { FormMessage } from '../../forms/form-message.tsx';
import { CachingFields } from './caching-fields.tsx';
import {
  type CachingValues,
  fieldOfCaching,
  toCaching,
  toCachingValues,
  typingErrors,
  withoutRequests,
} from './caching-values.ts';
import { describeEffect, describeScope } from './rule-text.ts';
import classes from './site.module.css';

const MODES = [
  { value: 'respect-origin', label: 'Respect the origin' },
  { value: 'override-origin', label: 'Override the origin' },
  { value: 'bypass', label: 'Never keep' },
] as const satisfies readonly { readonly value: Rule['mode']; readonly label: string }[];

interface FormValues extends CachingValues {
  readonly path: string;
  readonly contentType: string;
  readonly mode: Rule['mode'];
  readonly edgeTtl: string;
  readonly browserTtl: string;
}

const FIELDS: Readonly<Record<string, string>> = {
  path: 'path',
  contentType: 'contentType',
  mode: 'mode',
  edgeTtlSeconds: 'edgeTtl',
  browserTtlSeconds: 'browserTtl',
};

/** Paths are `path` from the schema of a rule, and `rules[3].path` from the control plane. */
function fieldOf(path: string): string | null {
  const own = path.replace(/^rules\[\d+\]\./, '');
  return FIELDS[own] ?? fieldOfCaching(own);
}

function toForm(rule: Rule | undefined): FormValues {
  const typed = (seconds: number | null | undefined) =>
    seconds === null || seconds === undefined ? '' : durationToTyped(seconds);
  return {
    path: rule?.path ?? '',
    contentType: rule?.contentType ?? '',
    mode: rule?.mode ?? 'override-origin',
    edgeTtl: typed(rule?.edgeTtlSeconds),
    browserTtl: typed(rule?.browserTtlSeconds),
    ...toCachingValues(rule ?? NEW_RULE),
  };
}

const NEW_RULE = ruleSchema.parse({});

function toRule(values: FormValues): Rule {
  const seconds = (typed: string) => (typed.trim() === '' ? null : parseDuration(typed));
  const isBypass = values.mode === 'bypass';
  const isTyped = values.contentType.trim() !== '';
  return {
    ...(isBypass ? NEW_RULE : toCaching(isTyped ? withoutRequests(values) : values)),
    path: values.path.trim() || null,
    contentType: values.contentType.trim() || null,
    mode: values.mode,
    edgeTtlSeconds: isBypass ? null : seconds(values.edgeTtl),
    browserTtlSeconds: isBypass ? null : seconds(values.browserTtl),
  };
}

function validate(values: FormValues): Record<string, string> {
  const errors = { ...schemaErrors(ruleSchema, toRule(values), fieldOf), ...typingErrors(values) };
  for (const field of ['edgeTtl', 'browserTtl'] as const) {
    const typed = values[field].trim();
    if (typed !== '' && parseDuration(typed) === null)
      errors[field] = 'must be a duration such as 10m, 1h or 7d';
  }
  if (values.mode === 'override-origin' && values.edgeTtl.trim() === '' && values.statusTtls.length === 0) {
    errors.edgeTtl = 'is needed to override the origin';
  }
  return errors;
}

const uncapitalised = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

interface RuleFormProps {
  readonly site: SiteView;
  readonly index: number;
  readonly onClose: () => void;
}

function RuleFields({ form }: { readonly form: UseFormReturnType<FormValues> }) {
  const { mode } = form.values;
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <TextInput
          label="Path"
          description="* stands for anything"
          placeholder="every path"
          data-autofocus
          {...form.getInputProps('path')}
        />
        <TextInput
          label="Media type"
          description="of the response"
          placeholder="every type"
          {...form.getInputProps('contentType')}
        />
      </SimpleGrid>
      <Select label="What to do" data={MODES} allowDeselect={false} {...form.getInputProps('mode')} />
      {mode !== 'bypass' && (
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput
            label="Edges keep it"
            description={
              mode === 'respect-origin' ? 'where the origin is silent' : 'whatever the origin says'
            }
            placeholder="7 days"
            {...form.getInputProps('edgeTtl')}
          />
          <TextInput
            label="Browsers keep it"
            description="apart from the edges"
            placeholder="as the origin says"
            {...form.getInputProps('browserTtl')}
          />
        </SimpleGrid>
      )}
    </>
  );
}

function RuleForm({ site, index, onClose }: RuleFormProps) {
  const change = useChangeSite(site.id);
  const form = useForm<FormValues>({
    initialValues: toForm(site.rules[index]),
    validate,
    validateInputOnBlur: true,
  });
  // Open from the beginning where it says something.
  const [isOpen] = useState(
    () => describeCaching(site.rules[index] ?? NEW_RULE, formatLifetime, true).length > 0,
  );
  const submit = form.onSubmit((values) => {
    const rules = [...site.rules.slice(0, index), toRule(values), ...site.rules.slice(index + 1)];
    change.mutate(
      { rules },
      { onSuccess: onClose, onError: (error) => form.setErrors(refusalErrors(error, fieldOf)) },
    );
  });
  const rule = toRule(form.values);
  return (
    <form onSubmit={submit} noValidate>
      <Stack gap="md">
        <RuleFields form={form} />
        {form.values.mode !== 'bypass' && (
          <details className={classes.more} open={isOpen}>
            <summary>More about these responses</summary>
            <CachingFields
              form={form as unknown as UseFormReturnType<CachingValues>}
              isRule
              isTyped={form.values.contentType.trim() !== ''}
            />
          </details>
        )}
        <Text size="sm" c="dimmed">
          {describeScope(rule)}: {uncapitalised(describeEffect(rule))}.
        </Text>
        <FormMessage message={form.errors[WHOLE_FORM]} />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" loading={change.isPending}>
            Save rule
          </Button>
        </Group>
      </Stack>
    </form>
  );
}

interface RuleDialogProps {
  readonly site: SiteView;
  /** Null: closed. One past the last rule: a new one. */
  readonly index: number | null;
  readonly onClose: () => void;
}

export function RuleDialog({ site, index, onClose }: RuleDialogProps) {
  const isNew = index !== null && index >= site.rules.length;
  return (
    <Modal
      opened={index !== null}
      onClose={onClose}
      title={isNew ? 'Add a rule' : 'Change the rule'}
      size="lg"
    >
      {index !== null && <RuleForm key={index} site={site} index={index} onClose={onClose} />}
    </Modal>
  );
}
