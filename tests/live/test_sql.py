# ctest: label=live build=release
"""sql/ on a real server: the same shop as the modelled database's, run as often as one likes, with the plans of the story."""

import os
import re
import shutil
import subprocess
import sys
import time

import yaml

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine import Machine, judge_time  # noqa: E402
from managed_servers import BUILD, ROOT, SMALL, Checks, Servers, cache_folder, missing  # noqa: E402

ROWS = 500000
SEED_S = 15
PRODUCT = "id, name, category, (price * 100)::bigint, stock_quantity, popularity"
INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname LIKE 'idx_products_%' ORDER BY 1"
TRIED = {  # parameters of each statement
    "products_by_category": "'electronics', 0, 10000", "recommendations": "'electronics', 0, 10000",
    "search": "'sports', 'ear', 0, 500", "search_products_unindexed": "17, 'gadget 4'",
    "popular_with_history": "'books', 0, 10000", "popular_products": "", "product_by_id": "17", "stock_of": "17",
    "order_insert": "4711, 'user-1', 17, 2, 'key-1'", "stock_reserve": "17, 2, 4711"}


class Database:
    """One of the test's own on the managed server."""

    def __init__(self, servers, checks):
        servers.sql("CREATE DATABASE fresh OWNER ecommerce_user", admin=True)
        self.info = re.sub("dbname='[^']*'", "dbname='fresh'", servers.begun["postgres"])
        self.checks = checks

    def psql(self, *words):
        done = subprocess.run(["psql", "-XqAt", "-F", "\t", "-v", "ON_ERROR_STOP=1", self.info, *words], cwd=ROOT,
                              capture_output=True, text=True, check=False)
        self.checks.that(not done.returncode, f"psql {words}: {done.stderr}")
        return done.stdout.strip()

    def sql(self, *statements):
        return self.psql(*(w for s in statements for w in ("-c", s)))

    def file(self, name, *words):
        """Twice, as a nervous person would; the first one's seconds."""
        begun = time.monotonic()
        self.psql(*words, "-f", os.path.join("sql", name))
        took = time.monotonic() - begun
        self.psql(*words, "-f", os.path.join("sql", name))
        return took

    def indexes(self):
        return dict(line.split("\t") for line in self.sql(INDEXES).splitlines())

    def refuses(self, statement, word):
        done = subprocess.run(["psql", "-Xq", self.info, "-c", statement], capture_output=True, text=True, check=False)
        self.checks.that(done.returncode and word in done.stderr, f"{statement}: {done.stderr}")


def model(rows):
    """What the modelled database says, by the first word of its lines."""
    told = {"product": [], "top": [], "statement": [], "index": []}
    program = os.path.join(BUILD, "tests", "shop_print")
    for line in subprocess.run([program, str(rows)], capture_output=True, text=True, check=True).stdout.splitlines():
        kind, _, rest = line.partition("\t")
        told[kind].append(rest)
    return told


def same_rows(checks, base, told):
    wanted = ",".join(line.split("\t")[0] for line in told["product"])
    checks.that(len(told["product"]) > 600, "hundreds of products")
    found = base.sql(f"SELECT {PRODUCT} FROM products WHERE id IN ({wanted}) ORDER BY id").splitlines()
    checks.equal(found, sorted(set(told["product"]), key=lambda line: int(line.split("\t")[0])), "products")
    checks.equal(base.sql("SELECT count(*), min(id), max(id) FROM products"), f"{ROWS}\t1\t{ROWS}", "rows")
    for line in told["top"]:
        category, *ids = line.split("\t")
        found = base.sql(f"SELECT id FROM products WHERE category = '{category}' AND active ORDER BY popularity DESC LIMIT 10")
        checks.equal(found.splitlines(), ids, f"most popular of {category}")
    far = model(10 * 1000 * 1000)["product"][-1]
    checks.equal(base.sql(f"SELECT id, name, category, (price * 100)::bigint, stock_quantity, popularity FROM "
                          f"shop_products({far.split()[0]}, {far.split()[0]})"), far, "the last product there can be")


def same_indexes(checks, base, told):
    """Definitions as the server writes them, ours from sql/ and the model's from its table."""
    at_start = base.indexes()
    base.file("restore_indexes.sql")
    restored = base.indexes()
    base.sql(*(f"DROP INDEX {name}" for name in restored))
    base.sql(*(line.split("\t")[2] for line in told["index"]))
    checks.equal(restored, base.indexes(), "indexes")
    checks.equal(sorted(at_start), sorted(line.split("\t")[0] for line in told["index"] if line.split("\t")[1] == "1"), "at start")
    checks.that(all(restored[name] == text for name, text in at_start.items()), f"at start: {at_start}")


def plan(base, statements, name, tried=None, mode="auto"):
    """As a connection sees it that has run the statement often."""
    execute = f"{name}({tried or TRIED[name]})" if TRIED[name] else name
    begun = ["SET jit = off", "SET max_parallel_workers_per_gather = 0", f"SET plan_cache_mode = {mode}", f"PREPARE {name} AS {statements[name]}"]
    answer = base.sql(*begun, *[f"EXECUTE {execute}"] * 6, f"EXPLAIN (ANALYZE, COSTS OFF) EXECUTE {execute}")
    told = answer[answer.rindex("Limit"):]
    return told, float(re.search(r"Execution Time: ([\d.]+) ms", told)[1])


def plans(checks, base, statements):
    def expect(name, what, *words):
        for mode in ("auto", "force_generic_plan"):
            told, took = plan(base, statements, name, mode=mode)
            print(f"{name}, {what}, {mode}: {took} ms")
            checks.that(all(word in told for word in words), f"{name}, {what}, {mode}:\n{told}")

    base.file("missing_index_config.sql")
    base.sql("CREATE INDEX idx_products_category ON products (category)", "ANALYZE products")
    expect("recommendations", "idx_products_category is there", "idx_products_category")
    expect("products_by_category", "idx_products_category is there", "Index Scan using idx_products_category_active")
    base.file("missing_index_config.sql")
    checks.equal(list(base.indexes()), ["idx_products_category_active"], "what the incident leaves")
    expect("recommendations", "in the incident", "Seq Scan on products")
    for name in ("products_by_category", "popular_with_history"):
        expect(name, "in the incident", "Index Scan using idx_products_category_active")
    expect("search_products_unindexed", "in the incident", "Seq Scan on products")
    base.file("restore_indexes.sql")
    expect("recommendations", "restored", "Index Scan using idx_products_recommendations")
    expect("products_by_category", "restored", "Index Scan using idx_products_category_active")


def statements_work(checks, base, statements):
    checks.equal(sorted(statements), sorted(TRIED), "statements")
    for name, tried in TRIED.items():
        execute = f"EXECUTE {name}({tried})" if tried else f"EXECUTE {name}"
        types = base.sql(f"PREPARE {name} AS {statements[name]}", f"SELECT parameter_types FROM pg_prepared_statements WHERE name = '{name}'")
        answer = base.sql(f"PREPARE {name} AS {statements[name]}", execute)
        print(f"{name} {types}: {len(answer.splitlines())} rows")
        checks.that(name == "popular_products" or answer, f"{name}: no rows")
    for statement, word in (("UPDATE products SET price = -1 WHERE id = 1", "price_check"),
                            ("UPDATE products SET stock_quantity = -1 WHERE id = 1", "stock_quantity_check"),
                            ("UPDATE order_items SET quantity = 0", "quantity_check"),
                            ("UPDATE order_items SET product_id = 0", "foreign key"),
                            ("INSERT INTO orders VALUES (1, 'u', 1, 'created', 'key-1')", "idempotency_key")):
        base.refuses(statement, word)


def main():
    lacking = missing()
    if lacking:
        print("SKIPPED: not here:", lacking)
        return
    with open(os.path.join(ROOT, "sql", "connection_pool_config.yaml"), encoding="utf-8") as file:
        database = yaml.safe_load(file)["database"]
    checks, cache = Checks(), cache_folder()
    checks.equal(database["connection_pool"], {"max_connections": 20, "connection_timeout": "5s"}, "the pool")
    checks.equal(database["read_replicas"]["enabled"], False, "replicas")
    try:
        with Servers(cache, "--no-redis", *SMALL) as servers:
            base, told = Database(servers, checks), model(ROWS)
            statements = dict(line.split("\t", 1) for line in told["statement"])
            print(f"init-db.sql: {base.file('init-db.sql'):.2f} s")
            checks.equal(base.sql("SELECT count(*) FROM products"), "72", "named products")
            machine = Machine(os.getpid())
            judge_time(checks, machine, base.file("seed.sql", "-v", f"rows={ROWS}"), SEED_S, "seed.sql")
            same_rows(checks, base, told)
            same_indexes(checks, base, told)
            plans(checks, base, statements)
            statements_work(checks, base, statements)
    finally:
        shutil.rmtree(cache)
    checks.end()


if __name__ == "__main__":
    main()
