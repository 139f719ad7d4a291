-- Backups that are overdue or differ are an alarm; and which program brought the schema where it is, for one that is
-- older.

alter table alarm
    drop constraint alarm_cause_check,
    add constraint alarm_cause_check check (cause in ('quarantined', 'failed_checks', 'warning_checks', 'failed_runs',
                                                      'refused_webhooks', 'messages', 'silent_sessions', 'backups'));
alter table schema_migration add column if not exists program text;
