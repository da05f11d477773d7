"""Sending: ``selection`` says which records, ``claims`` puts them into batches, ``task`` sends, ``results`` saves.

``tag_rules`` holds back what Marketo does not know; ``preflight`` reads before it writes over something;
``unknown_outcomes`` looks up what was never answered; ``cost_ids`` learns the ids of costs that were just accepted.
"""
