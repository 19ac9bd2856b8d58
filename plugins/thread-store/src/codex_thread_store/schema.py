"""The schema of the index, identical to that of ``state_5.sqlite`` as Codex 0.118 creates it.

Codex and this program can share a home: whichever runs first creates the database, and the other finds the schema that
it expects. Therefore the schema has tables that only Codex uses, and its table of applied migrations is filled in:
without it Codex does not use the database.
"""

from __future__ import annotations

TABLES: dict[str, tuple[str, ...]] = {
    "_sqlx_migrations": (
        "version BIGINT PRIMARY KEY",
        "description TEXT NOT NULL",
        "installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP",
        "success BOOLEAN NOT NULL",
        "checksum BLOB NOT NULL",
        "execution_time BIGINT NOT NULL",
    ),
    "threads": (
        "id TEXT PRIMARY KEY",
        "rollout_path TEXT NOT NULL",
        "created_at INTEGER NOT NULL",
        "updated_at INTEGER NOT NULL",
        *(f"{name} TEXT NOT NULL" for name in ("source", "model_provider", "cwd", "title")),
        *(f"{name} TEXT NOT NULL" for name in ("sandbox_policy", "approval_mode")),
        *(f"{name} INTEGER NOT NULL DEFAULT 0" for name in ("tokens_used", "has_user_event", "archived")),
        "archived_at INTEGER",
        *(f"{name} TEXT" for name in ("git_sha", "git_branch", "git_origin_url")),
        *(f"{name} TEXT NOT NULL DEFAULT ''" for name in ("cli_version", "first_user_message")),
        *(f"{name} TEXT" for name in ("agent_nickname", "agent_role")),
        "memory_mode TEXT NOT NULL DEFAULT 'enabled'",
        *(f"{name} TEXT" for name in ("model", "reasoning_effort", "agent_path")),
    ),
    "logs": (
        "id INTEGER PRIMARY KEY AUTOINCREMENT",
        "ts INTEGER NOT NULL",
        "ts_nanos INTEGER NOT NULL",
        "level TEXT NOT NULL",
        "target TEXT NOT NULL",
        *(f"{name} TEXT" for name in ("message", "module_path", "file")),
        "line INTEGER",
        *(f"{name} TEXT" for name in ("thread_id", "process_uuid")),
        "estimated_bytes INTEGER NOT NULL DEFAULT 0",
    ),
    "thread_dynamic_tools": (
        "thread_id TEXT NOT NULL",
        "position INTEGER NOT NULL",
        *(f"{name} TEXT NOT NULL" for name in ("name", "description", "input_schema")),
        "defer_loading INTEGER NOT NULL DEFAULT 0",
        "PRIMARY KEY(thread_id, position)",
        "FOREIGN KEY(thread_id) REFERENCES threads(id) ON DELETE CASCADE",
    ),
    "thread_spawn_edges": (
        "parent_thread_id TEXT NOT NULL",
        "child_thread_id TEXT NOT NULL PRIMARY KEY",
        "status TEXT NOT NULL",
    ),
    "stage1_outputs": (
        "thread_id TEXT PRIMARY KEY",
        "source_updated_at INTEGER NOT NULL",
        "raw_memory TEXT NOT NULL",
        "rollout_summary TEXT NOT NULL",
        "generated_at INTEGER NOT NULL",
        "rollout_slug TEXT",
        "usage_count INTEGER",
        "last_usage INTEGER",
        "selected_for_phase2 INTEGER NOT NULL DEFAULT 0",
        "selected_for_phase2_source_updated_at INTEGER",
        "FOREIGN KEY(thread_id) REFERENCES threads(id) ON DELETE CASCADE",
    ),
    "jobs": (
        *(f"{name} TEXT NOT NULL" for name in ("kind", "job_key", "status")),
        *(f"{name} TEXT" for name in ("worker_id", "ownership_token")),
        *(f"{name} INTEGER" for name in ("started_at", "finished_at", "lease_until", "retry_at")),
        "retry_remaining INTEGER NOT NULL",
        "last_error TEXT",
        *(f"{name} INTEGER" for name in ("input_watermark", "last_success_watermark")),
        "PRIMARY KEY (kind, job_key)",
    ),
    "backfill_state": (
        "id INTEGER PRIMARY KEY CHECK (id = 1)",
        "status TEXT NOT NULL",
        "last_watermark TEXT",
        "last_success_at INTEGER",
        "updated_at INTEGER NOT NULL",
    ),
    "agent_jobs": (
        "id TEXT PRIMARY KEY",
        *(f"{name} TEXT NOT NULL" for name in ("name", "status", "instruction")),
        "output_schema_json TEXT",
        *(f"{name} TEXT NOT NULL" for name in ("input_headers_json", "input_csv_path", "output_csv_path")),
        "auto_export INTEGER NOT NULL DEFAULT 1",
        *(f"{name} INTEGER NOT NULL" for name in ("created_at", "updated_at")),
        *(f"{name} INTEGER" for name in ("started_at", "completed_at")),
        "last_error TEXT",
        "max_runtime_seconds INTEGER",
    ),
    "agent_job_items": (
        *(f"{name} TEXT NOT NULL" for name in ("job_id", "item_id")),
        "row_index INTEGER NOT NULL",
        "source_id TEXT",
        *(f"{name} TEXT NOT NULL" for name in ("row_json", "status")),
        "assigned_thread_id TEXT",
        "attempt_count INTEGER NOT NULL DEFAULT 0",
        *(f"{name} TEXT" for name in ("result_json", "last_error")),
        *(f"{name} INTEGER NOT NULL" for name in ("created_at", "updated_at")),
        *(f"{name} INTEGER" for name in ("completed_at", "reported_at")),
        "PRIMARY KEY (job_id, item_id)",
        "FOREIGN KEY(job_id) REFERENCES agent_jobs(id) ON DELETE CASCADE",
    ),
}
"""Columns and constraints of each table."""

INDEXES: dict[str, str] = {
    "idx_threads_created_at": "threads(created_at DESC, id DESC)",
    "idx_threads_updated_at": "threads(updated_at DESC, id DESC)",
    "idx_threads_archived": "threads(archived)",
    "idx_threads_source": "threads(source)",
    "idx_threads_provider": "threads(model_provider)",
    "idx_logs_ts": "logs(ts DESC, ts_nanos DESC, id DESC)",
    "idx_logs_thread_id": "logs(thread_id)",
    "idx_logs_process_uuid": "logs(process_uuid)",
    "idx_logs_thread_id_ts": "logs(thread_id, ts DESC, ts_nanos DESC, id DESC)",
    "idx_logs_process_uuid_threadless_ts": (
        "logs(process_uuid, ts DESC, ts_nanos DESC, id DESC) WHERE thread_id IS NULL"
    ),
    "idx_thread_dynamic_tools_thread": "thread_dynamic_tools(thread_id)",
    "idx_thread_spawn_edges_parent_status": "thread_spawn_edges(parent_thread_id, status)",
    "idx_stage1_outputs_source_updated_at": "stage1_outputs(source_updated_at DESC, thread_id DESC)",
    "idx_jobs_kind_status_retry_lease": "jobs(kind, status, retry_at, lease_until)",
    "idx_agent_jobs_status": "agent_jobs(status, updated_at DESC)",
    "idx_agent_job_items_status": "agent_job_items(job_id, status, row_index ASC)",
}

MIGRATIONS = (
    (
        "threads",
        "627ef19164c9bb298a0cd99945981c9b7bda3d9e6cf12eb35145e3b1d3bf7cf8740f0dbaa0b475185fc2993397078049",
    ),
    (
        "logs",
        "521b72cbc04c7d03b1e4aef8dc0fdee672f1f7f5881385a55a0e937e4ebe87a3f67bca4d3f6b59afbc9a7ca723c82856",
    ),
    (
        "logs thread id",
        "e58a2862bdb66d3274e60144a26dc9d68bbefff834cd29b82b740f38fcf95862934f412665d985715167839e8f0eb377",
    ),
    (
        "thread dynamic tools",
        "8adc251366e4c7e5ea78b620ac71f4c4bdfb8f048bf9f2fd7204226cfba54c8e83fc9d83fc1ec334bc683bb7f6d0d8a8",
    ),
    (
        "threads cli version",
        "1ac64f85e083e5b49b974bf498fc39c630f0032057fb4bf4cb31708619fac5a80189f261cf3e38dafd92dc406e73c220",
    ),
    (
        "memories",
        "a203fc4b597e1420bffdc4e00e214798b21cf7fc921d8bd6f089c75248fb6a4b4942c97a1f8e0271eca8cf3b3e5e7a80",
    ),
    (
        "threads first user message",
        "7e35a464df6d4c82694de50865ba3fe9104f9e1385a33be7d633ab4b8d6cf60b7f369fe083d31251fd77b75fa2d61f82",
    ),
    (
        "backfill state",
        "aa3f287f7a448554e7af01f259f0871ce90ace1a7d4b8ebbd74c87ae57c3e21119f7eec8b9c2e9f4a9e76e63a0f0b60a",
    ),
    (
        "stage1 outputs rollout slug",
        "8b469360777e6dd6c21d3f0eb93481251846b0a50e0a44eb0dbee4a0a32b7206768a5d83a5fcec30c6fd2e43d755ff1b",
    ),
    (
        "logs process id",
        "8adaf1365f8e5deeba68bdeee9fd83b094a87bdab364d95ab5c714f7b8bd95dc3b38576871470312154c9d41e8f10f93",
    ),
    (
        "logs partition prune indexes",
        "31ececbd07f04452d0dc5127d824ed183056b9900a31aa739387a4aef232016d975110829814841fb6bf3fd23634b799",
    ),
    (
        "logs estimated bytes",
        "0012a213ed25f2cf806c2530c487ebb00b4f102f5960d1a852154a0f77d25c9e9f7df29550faeb30ebaff15a26c7d604",
    ),
    (
        "threads agent nickname",
        "05526a0900a8430523a9a05932ea61302fce20782b245498565c1b9a2dfd10cf5c49932089b496ae23af44f6c5f76af4",
    ),
    (
        "agent jobs",
        "4d2fbb2442c5c5c7c47b4254b5b8dc2c52129f65c4a952a79f1ec5c40fb07483326429ce5acdbd372bc9262352cb6277",
    ),
    (
        "agent jobs max runtime seconds",
        "0eece6db59c948faa6608526af440a9f53f5a982d27f3e866cd9f1401c2e59bc61f8381b5a1c9744acb232f50db493e5",
    ),
    (
        "memory usage",
        "4768f743e981293735c6e07b0282ec8ace98af720059d68555b17979d28c94b0c893a97a950d5e32758bc6d92d8fe6ff",
    ),
    (
        "phase2 selection flag",
        "4cbdb2edfebf6040858ffc193cffa36e6b3fbf508f8418ad073081bbfcf59d53d423b6eb4c0ded206ab4d4c1a0efed94",
    ),
    (
        "phase2 selection snapshot",
        "a4363003bc44f0a4ae1eed53b536b7175f97863ea6881a059dc6642e70e2921576204697cec2345f560e65ff7fbf4455",
    ),
    (
        "thread dynamic tools defer loading",
        "3884c02f080f0184e92b620f870dfbb840a8ec5dfce2fe6455dd8197fcd27d7dd86e63ad6ec7c4091a1161d9ed199f8d",
    ),
    (
        "threads model reasoning effort",
        "07673f4859f740134569ab9606760d8173ed6df92da47c86fbd0ceeb333e18ab7ac91d525ab8c11503c42164fd4167ae",
    ),
    (
        "thread spawn edges",
        "ea1aebe4f5a1d56c8effcc15f705c272275dd8adfeb01bc97d3f7b283474a3b8c2b0c8c69de55786e8bda17cae6f4de7",
    ),
    (
        "threads agent path",
        "160fe01b757dd06f9573b9030952d021f2b148732bea5fc5f5ae09e9227f3f83ca676695edaf8502669fcb546119dc94",
    ),
)

"""The migrations of 0.118 that result in this schema: description and SHA-384, numbered from 1."""


def statements() -> list[str]:
    """Return the SQL statements that create the schema."""
    made = [f"CREATE TABLE {name} ({', '.join(columns)})" for name, columns in TABLES.items()]
    made += [f"CREATE INDEX {name} ON {columns}" for name, columns in INDEXES.items()]
    made += [
        "INSERT INTO _sqlx_migrations(version, description, success, checksum, execution_time) "  # noqa: S608
        f"VALUES ({version}, '{description}', 1, x'{checksum}', 0)"
        for version, (description, checksum) in enumerate(MIGRATIONS, 1)
    ]
    made.append(
        "INSERT INTO backfill_state(id, status, updated_at) "
        "VALUES (1, 'pending', CAST(strftime('%s', 'now') AS INTEGER))"
    )
    return made
