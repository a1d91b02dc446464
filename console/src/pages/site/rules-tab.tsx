/** A site's cache rules in the order they are tried, to be added, changed, moved and removed. */
import DownIcon from '@heroicons/react/24/outline/ChevronDownIcon';
import UpIcon from '@heroicons/react/24/outline/ChevronUpIcon';
import ClockIcon from '@heroicons/react/24/outline/ClockIcon';
import PencilIcon from '@heroicons/react/24/outline/PencilSquareIcon';
import TrashIcon from '@heroicons/react/24/outline/TrashIcon';
import { ActionIcon, Button } from '@mantine/core';
import { type ComponentType, type SVGProps, useState } from 'react';
import type { SiteView } from '#core/contract/sites.ts';
import type { Rule } from '#core/model/site.ts';
import { useChangeSite } from '../../api/mutations.ts';
import { refusalText } from '../../api/refusal.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { FormMessage } from '../../forms/form-message.tsx';
import { RuleDialog } from './rule-dialog.tsx';
import { describeEffect, describeScope } from './rule-text.ts';
import classes from './site.module.css';

/** The rules with one taken out and put in at another place. */
function moveRule(rules: readonly Rule[], from: number, to: number): Rule[] {
  const moved = rules[from];
  if (moved === undefined || to < 0 || to >= rules.length) return [...rules];
  const rest = rules.filter((_, index) => index !== from);
  return [...rest.slice(0, to), moved, ...rest.slice(to)];
}

interface RuleLineProps {
  readonly rule: Rule;
  readonly index: number;
  readonly isBusy: boolean;
  readonly isLast: boolean;
  readonly onEdit: () => void;
  readonly onMove: (by: -1 | 1) => void;
  readonly onRemove: () => void;
}

function RuleButton(props: {
  readonly name: string;
  readonly Icon: ComponentType<SVGProps<SVGSVGElement>>;
  readonly isDisabled: boolean;
  readonly onClick: () => void;
}) {
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      aria-label={props.name}
      disabled={props.isDisabled}
      onClick={props.onClick}
    >
      <props.Icon width={17} />
    </ActionIcon>
  );
}

function RuleLine({ rule, index, isBusy, isLast, onEdit, onMove, onRemove }: RuleLineProps) {
  const name = `rule ${index + 1}`;
  return (
    <li className={classes.rule}>
      <span className={classes.ruleNumber}>{index + 1}</span>
      <div className={classes.ruleText}>
        <code>{describeScope(rule)}</code>
        <div>{describeEffect(rule)}</div>
      </div>
      <div className={classes.ruleButtons}>
        <RuleButton
          name={`Move ${name} up`}
          Icon={UpIcon}
          isDisabled={isBusy || index === 0}
          onClick={() => onMove(-1)}
        />
        <RuleButton
          name={`Move ${name} down`}
          Icon={DownIcon}
          isDisabled={isBusy || isLast}
          onClick={() => onMove(1)}
        />
        <RuleButton name={`Change ${name}`} Icon={PencilIcon} isDisabled={isBusy} onClick={onEdit} />
        <RuleButton name={`Remove ${name}`} Icon={TrashIcon} isDisabled={isBusy} onClick={onRemove} />
      </div>
    </li>
  );
}

export function RulesTab({ site }: { readonly site: SiteView }) {
  const change = useChangeSite(site.id);
  /** Index of the rule being changed; one past the last for a new one; null for none. */
  const [edited, setEdited] = useState<number | null>(null);
  const { rules } = site;
  const save = (next: readonly Rule[]) => change.mutate({ rules: [...next] });
  const addButton = (
    <Button size="xs" onClick={() => setEdited(rules.length)}>
      Add a rule
    </Button>
  );
  return (
    <Panel
      title="How responses are cached"
      description="The first rule that applies decides; what it leaves open is as the settings and the origin say."
      actions={rules.length > 0 && addButton}
    >
      <FormMessage message={change.error === null || edited !== null ? null : refusalText(change.error)} />
      {rules.length === 0 ? (
        <EmptyState Icon={ClockIcon} title="The origin decides" action={addButton}>
          Responses are kept as long as the origin’s Cache-Control says. Add a rule to keep some of them
          longer, shorter or not at all, for instance all images for seven days.
        </EmptyState>
      ) : (
        <ol className={classes.rules}>
          {rules.map((rule, index) => (
            <RuleLine
              // biome-ignore lint/suspicious/noArrayIndexKey: rules have no other name than their place
              key={index}
              rule={rule}
              index={index}
              isBusy={change.isPending}
              isLast={index === rules.length - 1}
              onEdit={() => setEdited(index)}
              onMove={(by) => save(moveRule(rules, index, index + by))}
              onRemove={() => save(rules.filter((_, other) => other !== index))}
            />
          ))}
        </ol>
      )}
      <RuleDialog site={site} index={edited} onClose={() => setEdited(null)} />
    </Panel>
  );
}
