// SPDX-License-Identifier: Apache-2.0

/// A project that uses every key of the language.
enum AnnotatedProject {
    static let files = [
        "penstock.yml": project, "connections.yml": connections, "models/crm_orgs.sql": sql,
        "models/crm_orgs.yml": model, "syncs/orgs_to_pipedrive.yml": sync, "syncs/deals.yml": deals,
    ]

    private static let project = """
        # yaml-language-server: $schema=.penstock/schema/project.json
        version: 1                       # config language version
        project: acme-revops
        requires: ">=0.3 <1.0"

        connectors:
          postgres: "^1.0"
          pipedrive: "^1.2"

        defaults:
          schedule: {timezone: Europe/Berlin}
          rejects: {max: 0, keep: P30D, record: masked}
          limits: {reserve: 25%}

        profiles:
          dev:
            connections: {pipedrive-eu: {base_url: "http://127.0.0.1:7391"}}
            defaults: {limits: {rows: 50}}
          prod: {}
        default_profile: dev

        """

    private static let connections = """
        version: 1
        connections:
          warehouse:
            connector: postgres
            description: Analytics warehouse, read-only role
            service: analytics
            password: ${cred:warehouse-password}
            statement_timeout: 5m

          crm-mirror:
            connector: mysql
            defaults_group: penstock

          notebook:
            connector: sqlite
            path: ./data/notebook.db     # relative to this file

          exports:
            connector: csv
            path: ./data/*.csv           # each file is a table
            header: true
            encoding: utf-8
            null_values: ["", NULL]
            types: {zip: text}

          pipedrive-eu:
            connector: pipedrive
            company_domain: acme
            api_token: ${cred:pipedrive-token}
            budget:
              burst: 40
              window: 2s
              daily_tokens: 360000
              reserve: 2%
              requests_per_second: 10

        """

    private static let sql = """
        -- connection: warehouse
        SELECT o.pipedrive_org_id, o.account_id, o.company_name, o.owner_pd_user_id
        FROM   mart.crm_orgs AS o
        WHERE  o.is_customer;

        """

    private static let model = """
        version: 1
        model: crm_orgs
        connection: warehouse
        key: account_id
        columns:
          arr_eur: {description: Annual recurring revenue in euro, type: decimal}

        """

    private static let sync = """
        # yaml-language-server: $schema=../.penstock/schema/sync.json
        version: 1
        destination:
          connection: pipedrive-eu
          object: organization
        source:
          model: crm_orgs
          key: [account_id]
        map:
          id: pipedrive_org_id
          name: company_name
          owner_id: owner_pd_user_id
          ARR (EUR): arr_eur
          Segment: {from: segment, option: label}
          address: {from: hq_street}
          visible_to: {value: 3}
          label_ids: {from: labels, split: ",", option: label, when_missing: skip}
          Budget: {parts: {value: {from: budget, default: 0}, currency: {value: EUR}}}
          Contract: {parts: {value: starts_on, until: ends_on}}
        fetch:
          mode: INCREMENTAL
          key: updated_at
          start: 2026-01-01T00:00:00Z
          lookback: 10m
          null_key: include
        insert:
          mode: Update
          match: id
          on_missing: create
          on_null: keep
          compare: auto
          repeat: warn
          delivery: auto
        schedule:
          cron: "15 6 * * MON-FRI"
          timezone: Europe/Berlin
          start: 2026-11-02 06:15
          priority: 5
          jitter: 2m
          catch_up: latest
          overlap: skip
          enabled: true
        name: orgs_to_pipedrive
        title: Organizations → Pipedrive
        description: Keeps ARR and segment on Pipedrive organizations current.
        owner: revops@acme.example
        tags: [crm, daily]
        template: pipedrive_org_update
        enabled: true
        limits: {tokens_per_run: 20000, rows: 50000}
        rejects: {max: 1%}
        mask: [ARR (EUR)]
        after: [deals]
        x-note: keys that begin with x- are the user's own

        """

    private static let deals = """
        version: 1
        destination: {connection: pipedrive-eu, object: deal}
        source: {connection: exports, table: deals, key: [region, number]}
        map: {title: title}
        schedule: {every: 1h}
        insert: {repeat: allow}

        """
}
