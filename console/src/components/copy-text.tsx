/** A text to be taken elsewhere, such as a CNAME or a command, with a button that copies it. */
import CheckIcon from '@heroicons/react/24/outline/CheckIcon';
import CopyIcon from '@heroicons/react/24/outline/ClipboardDocumentIcon';
import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import classes from './copy-text.module.css';

interface CopyTextProps {
  readonly text: string;
  /** What it is, for the button's name: "Copy the CNAME". */
  readonly what: string;
  readonly isBlock?: boolean;
}

export function CopyText(props: CopyTextProps) {
  return (
    <span className={props.isBlock === true ? classes.block : classes.inline}>
      <code>{props.text}</code>
      <CopyButton value={props.text} timeout={1500}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? 'Copied' : `Copy the ${props.what}`}>
            <ActionIcon
              variant="subtle"
              color={copied ? 'teal' : 'gray'}
              size="sm"
              onClick={(event) => {
                event.stopPropagation();
                copy();
              }}
              aria-label={copied ? 'Copied' : `Copy the ${props.what}`}
            >
              {copied ? <CheckIcon width={15} /> : <CopyIcon width={15} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </span>
  );
}
