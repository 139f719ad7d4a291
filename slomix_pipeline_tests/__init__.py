"""Tests of slomix_pipeline. Names read as sentences; servers listen on 127.0.0.1 only; nothing is left behind."""
