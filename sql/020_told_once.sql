-- The summary of a session is told as a result is: its check has the same name.
update check_result set check_name = 'told_once' where check_name = 'summary_told_once';
