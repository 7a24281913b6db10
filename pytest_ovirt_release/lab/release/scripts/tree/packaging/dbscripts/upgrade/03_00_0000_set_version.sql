-- Where a new database begins; its row comes with the tables, and this is never run.
SELECT 3000000;
