"""What stands in for Citus: its names in a real PostgreSQL, and nothing of what it does."""

import psqlpy

_PRETEND = """
SET allow_system_table_mods = on;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
    VALUES (16000, 'citus', 10, 'public'::regnamespace, false, '13.2-1');
CREATE TABLE pg_dist_node (groupid int, noderole text, isactive bool, shouldhaveshards bool);
INSERT INTO pg_dist_node VALUES (0, 'primary', true, false);
CREATE TABLE pg_dist_partition (logicalrelid regclass);
CREATE TABLE calls (number int GENERATED ALWAYS AS IDENTITY, arguments text);
CREATE FUNCTION create_distributed_table(
    table_name regclass, distribution_column text, colocate_with text DEFAULT 'default'
) RETURNS void LANGUAGE sql AS $$
    INSERT INTO pg_dist_partition VALUES (table_name);
    INSERT INTO calls (arguments)
    VALUES (concat_ws(' ', table_name, distribution_column, colocate_with));
$$;
"""


async def pretend_citus(database: str) -> None:
    """Have a database look as if it had the extension, with a coordinator and no workers."""
    connection = await psqlpy.connect(dsn=database)
    try:
        await connection.execute_batch(_PRETEND)
    finally:
        connection.close()
