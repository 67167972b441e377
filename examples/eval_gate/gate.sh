#!/usr/bin/env bash
# Fail when answers over DOCUMENTS get worse: gate.sh DOCUMENTS QUESTIONS.jsonl [more options of footnote eval]
# A line of QUESTIONS: {"id", "question", "answers": [...], "evidence": [{"source", "quote"}], "answerable": true|false}
# FOOTNOTE_HOME should be kept between runs (a cache of CI): then only changed documents are embedded.
set -euo pipefail
documents=$1 questions=$2; shift 2
footnote add "$documents"
footnote eval "$questions" --out run.json --report run.md \
  --gate "retrieval.recall@5>=0.9" \
  --gate "citation.precision>=0.8" \
  --gate "citation.quote_exact>=1.0" \
  "$@"
