"""From the config to records in an account's repo: what `plainsky publish` does.

Promises: nothing is written before the difference was shown, the service was found to answer from outside, and somebody said yes; a
second run changes nothing; records that are not ours are left alone; the password is never shown.

facets, images, records, comparing: pure. repo, checks: what is asked of others. feeds: the order in which it happens.
labeler: the same order for the labeler, whose DID document is changed too (documents, plc). labeler_checks, last_labels: its service as
others see it; anywhere, record_checks: any labeler from outside. labeler_command, terminal: the conversation.
"""
