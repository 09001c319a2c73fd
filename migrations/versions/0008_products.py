"""Loan products and their versions, and on which of them a loan was made.

Only expands: an older program makes loans without a version.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

PRODUCTS = """
    CREATE TABLE products (
        id UUID NOT NULL,
        version INTEGER NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE NOT NULL,
        updated_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_products PRIMARY KEY (id),
        CONSTRAINT ck_products_version CHECK (version > 0)
    )
"""
PRODUCT_VERSIONS = """
    CREATE TABLE product_versions (
        product_id UUID NOT NULL,
        version INTEGER NOT NULL,
        document JSONB NOT NULL,
        at TIMESTAMP WITH TIME ZONE NOT NULL,
        by UUID NOT NULL,
        CONSTRAINT pk_product_versions PRIMARY KEY (product_id, version),
        CONSTRAINT fk_product_versions_product_id FOREIGN KEY(product_id)
            REFERENCES products (id) ON DELETE RESTRICT,
        CONSTRAINT ck_product_versions_version CHECK (version > 0)
    )
"""


def upgrade() -> None:
    op.execute(PRODUCTS)
    op.execute(PRODUCT_VERSIONS)
    op.execute(
        "CREATE TRIGGER product_versions_are_facts BEFORE UPDATE OR DELETE OR TRUNCATE"
        " ON product_versions FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )
    op.execute("ALTER TABLE loans ADD COLUMN product_version INTEGER")
    op.execute(
        "ALTER TABLE loans ADD CONSTRAINT fk_loans_product_id"
        " FOREIGN KEY (product_id, product_version)"
        " REFERENCES product_versions (product_id, version) ON DELETE RESTRICT NOT VALID"
    )
    op.execute("ALTER TABLE loans VALIDATE CONSTRAINT fk_loans_product_id")
