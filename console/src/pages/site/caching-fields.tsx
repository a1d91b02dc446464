/** The fields of what a site or a rule says about caching beside how long. In a rule everything may be as the site says. */
import { Select, SimpleGrid, Stack, Switch, TagsInput, TextInput } from '@mantine/core';
import type { UseFormReturnType } from '@mantine/form';
import type { ReactNode } from 'react';
import type { CachingValues } from './caching-values.ts';
import classes from './site.module.css';

interface FieldsProps {
  readonly form: UseFormReturnType<CachingValues>;
  readonly isRule: boolean;
  /** Whether the rule asks for a media type: it has no say about requests then. */
  readonly isTyped?: boolean;
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <fieldset className={classes.section}>
      <legend>{title}</legend>
      <Stack gap="md">{children}</Stack>
    </fieldset>
  );
}

function Tags(
  props: FieldsProps & { readonly name: keyof CachingValues; readonly label: string; readonly hint: string },
) {
  const { form, name, label, hint } = props;
  return (
    <TagsInput
      label={label}
      placeholder={(form.values[name] as readonly string[]).length === 0 ? hint : ''}
      {...form.getInputProps(name)}
      value={[...(form.values[name] as readonly string[])]}
    />
  );
}

interface ChoiceProps extends FieldsProps {
  readonly name: keyof CachingValues;
  readonly label: string;
  readonly choices: readonly (readonly [value: string, label: string])[];
  readonly isAboutRequests?: boolean;
}

function Choice({
  form,
  isRule,
  isTyped = false,
  name,
  label,
  choices,
  isAboutRequests = false,
}: ChoiceProps) {
  const own = choices.map(([value, text]) => ({ value, label: text }));
  return (
    <Select
      label={label}
      data={isRule ? [{ value: '', label: 'As the site' }, ...own] : own}
      allowDeselect={false}
      disabled={isTyped && isAboutRequests}
      {...form.getInputProps(name)}
    />
  );
}

function KeyFields(props: FieldsProps) {
  const { form, isRule } = props;
  const { keyQuery, hasOwnKey } = form.values;
  return (
    <Section title="What makes another page">
      {isRule && (
        <Switch label="A cache key of its own" {...form.getInputProps('hasOwnKey', { type: 'checkbox' })} />
      )}
      {(hasOwnKey || !isRule) && (
        <>
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            <Select
              label="Parameters of the query"
              data={[
                { value: 'all', label: 'All of them' },
                { value: 'none', label: 'None' },
                { value: 'only', label: 'Only some' },
                { value: 'except', label: 'All but some' },
              ]}
              allowDeselect={false}
              {...form.getInputProps('keyQuery')}
            />
            {(keyQuery === 'only' || keyQuery === 'except') && (
              <Tags {...props} name="keyNames" label="Their names" hint="utm_*, fbclid" />
            )}
          </SimpleGrid>
          <SimpleGrid cols={{ base: 1, xs: 2 }}>
            <Tags {...props} name="keyHeaders" label="Request headers" hint="x-tenant" />
            <Tags {...props} name="keyCookies" label="Cookies" hint="theme" />
          </SimpleGrid>
          <SimpleGrid cols={{ base: 1, xs: 3 }}>
            <Switch label="In any order" {...form.getInputProps('keySorted', { type: 'checkbox' })} />
            <Switch label="Kind of device" {...form.getInputProps('keyDevice', { type: 'checkbox' })} />
            <Switch label="Country" {...form.getInputProps('keyCountry', { type: 'checkbox' })} />
          </SimpleGrid>
        </>
      )}
    </Section>
  );
}

function BypassFields(props: FieldsProps) {
  const { form, isRule } = props;
  return (
    <Section title="Who passes the cache by">
      {isRule && (
        <Switch label="Conditions of its own" {...form.getInputProps('hasOwnBypass', { type: 'checkbox' })} />
      )}
      {(form.values.hasOwnBypass || !isRule) && (
        <SimpleGrid cols={{ base: 1, xs: 3 }}>
          <Tags {...props} name="bypassCookies" label="Who has a cookie" hint="session*" />
          <Tags {...props} name="bypassHeaders" label="or a header" hint="x-preview" />
          <Tags {...props} name="bypassQuery" label="or a parameter" hint="preview" />
        </SimpleGrid>
      )}
    </Section>
  );
}

function KeepingFields(props: FieldsProps) {
  const { form, isRule } = props;
  return (
    <Section title="What is kept">
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <Tags {...props} name="statusTtls" label="Answers by status" hint="404=1m, 5xx=5s" />
        <Choice
          {...props}
          name="setCookie"
          label="Responses that set cookies"
          choices={[
            ['explicit', 'Where the origin says how long'],
            ['shared', 'Where it says they are for all'],
            ['strip', 'Without the cookie'],
            ['never', 'Never'],
          ]}
        />
        <Choice
          {...props}
          name="checkContentType"
          label="Pages that come for static files"
          choices={[
            ['on', 'Never'],
            ['off', 'As other pages'],
          ]}
        />
        <Choice
          {...props}
          isAboutRequests
          name="slices"
          label="Parts of large files"
          choices={[
            ['auto', 'As slices of 1 MiB'],
            ['off', 'Never'],
          ]}
        />
      </SimpleGrid>
      {isRule && (
        <SimpleGrid cols={{ base: 1, xs: 2 }}>
          <TextInput
            label="Stale while it is fetched anew"
            placeholder="as the site"
            {...form.getInputProps('staleWhileRevalidate')}
          />
          <TextInput
            label="Stale when the origin fails"
            placeholder="as the site"
            {...form.getInputProps('staleIfError')}
          />
        </SimpleGrid>
      )}
    </Section>
  );
}

function RequestFields(props: FieldsProps) {
  return (
    <Section title="What users may ask">
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        <Choice
          {...props}
          isAboutRequests
          name="requestDirectives"
          label="Requests for something fresher"
          choices={[
            ['honour', 'Go to the origin'],
            ['ignore', 'Are answered as others'],
          ]}
        />
        <Choice
          {...props}
          isAboutRequests
          name="finishFills"
          label="Fetches that all have left"
          choices={[
            ['on', 'Go on, to be kept'],
            ['off', 'Are given up'],
          ]}
        />
        <Choice
          {...props}
          isAboutRequests
          name="requestHeaders"
          label="Request headers for the origin"
          choices={[
            ['all', 'All that users send'],
            ['listed', 'The usual ones and these'],
          ]}
        />
        {props.form.values.requestHeaders === 'listed' && (
          <Tags {...props} name="requestNames" label="These" hint="x-tenant" />
        )}
      </SimpleGrid>
    </Section>
  );
}

export function CachingFields(props: FieldsProps) {
  const isTyped = props.isTyped === true;
  return (
    <Stack gap="lg">
      <KeepingFields {...props} />
      {isTyped ? (
        <p className={classes.remark}>
          The cache key and what users may ask are decided before the type of a response is known. Give them
          to a rule without a media type.
        </p>
      ) : (
        <>
          <KeyFields {...props} />
          <BypassFields {...props} />
          <RequestFields {...props} />
        </>
      )}
    </Stack>
  );
}
