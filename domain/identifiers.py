"""The identifiers of all that Lendwire keeps: UUID version 7, minted by whoever creates it.

Nothing is minted here, because the domain knows no chance: see `gateways/identity_source.py`.
"""

from __future__ import annotations

from typing import NewType
from uuid import UUID

UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
BranchId = NewType("BranchId", UUID)
ProductId = NewType("ProductId", UUID)
LoanId = NewType("LoanId", UUID)
PaymentId = NewType("PaymentId", UUID)
CommentId = NewType("CommentId", UUID)
EventId = NewType("EventId", UUID)
DisbursementId = NewType("DisbursementId", UUID)
ChargeId = NewType("ChargeId", UUID)
AnnouncementId = NewType("AnnouncementId", UUID)
