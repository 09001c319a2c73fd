"""The safeguards of the runtime that are taken away one at a time, and who must notice.

Each is a piece of source as it stands, what remains without the safeguard, and the named test that
fails then. It runs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Safeguard:
    """`text` stands once in `file`; with `without` in its place, `test` fails."""

    name: str
    file: str
    text: str
    without: str
    test: str


SAFEGUARDS = (
    Safeguard(
        "a crash fails the asks in hand",
        "actors/runtime/slot.py",
        """            envelope.fail(error)
            self.accounts.quarantined += 1
""",
        """            self.accounts.quarantined += 1
""",
        "supervisors/test_crashes.py::test_a_crash_fails_the_ask_in_hand_at_once_with_its_cause",
    ),
    Safeguard(
        "the message in hand at a crash is quarantined",
        "actors/runtime/slot.py",
        """            self.quarantine = (*self.quarantine, fault)[-_FAULTS_KEPT:]
        self.in_hand.clear()
""",
        """            self.mailbox.put_nowait(envelope)
        self.in_hand.clear()
""",
        "supervisors/test_crashes.py"
        "::test_the_message_in_hand_at_a_crash_is_quarantined_and_not_delivered_again",
    ),
    Safeguard(
        "a stop fails the asks that are still queued",
        "supervisors/runtime/child.py",
        """        slot.mailbox.discard(ActorStopped(slot.path))
""",
        "",
        "supervisors/test_stopping.py"
        "::test_a_hanging_child_is_cut_at_its_shutdown_time_and_its_asks_are_told",
    ),
    Safeguard(
        "children stop in reverse order",
        "supervisors/runtime/child_tasks.py",
        "        for child in reversed(list(self.children.values())):\n",
        "        for child in list(self.children.values()):\n",
        "supervisors/test_stopping.py::test_a_cancelled_tree_stops_in_reverse_order",
    ),
    Safeguard(
        "the children's nursery is shielded",
        "supervisors/runtime/supervisor.py",
        """        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as kids:
""",
        """        with trio.CancelScope():
            async with trio.open_nursery() as kids:
""",
        "supervisors/test_stopping.py::test_a_stop_drains_the_queue_and_answers_it",
    ),
    Safeguard(
        "restarts are counted against the intensity",
        "supervisors/runtime/exit_decision.py",
        "    return Verdict.ESCALATE if restarts > intensity.max_restarts else Verdict.RESTART\n",
        "    return Verdict.RESTART\n",
        "supervisors/test_backoff.py"
        "::test_restarts_of_several_children_are_counted_together_against_the_intensity",
    ),
    Safeguard(
        "failures in a row are counted as well",
        "supervisors/runtime/exit_decision.py",
        "    child.failures_in_a_row += 1\n",
        "",
        "supervisors/test_backoff.py"
        "::test_failures_in_a_row_escalate_even_when_backoff_outlasts_the_window",
    ),
    Safeguard(
        "back-off starts again after health",
        "supervisors/runtime/child_tasks.py",
        """        if child.started and slot.ran_s(now) >= self.backoff.reset_after_s:
            child.forgive()
""",
        "",
        "supervisors/test_backoff.py::test_backoff_starts_again_after_a_time_of_health",
    ),
    Safeguard(
        "an expired message is shed",
        "actors/runtime/mailbox.py",
        "            if envelope.deadline <= now:\n",
        "            if envelope.deadline > now > envelope.deadline:\n",
        "actors/test_address.py::test_a_message_that_waited_past_its_deadline_is_never_carried_out",
    ),
    Safeguard(
        "an ask cycle is refused",
        "actors/runtime/address.py",
        "        if slot.path in chain:\n",
        "        if slot.path in ():\n",
        "actors/test_address.py::test_an_ask_that_would_wait_for_its_own_asker_is_refused_at_once",
    ),
    Safeguard(
        "a suspended actor refuses interleaved messages",
        "actors/runtime/reentrant.py",
        "    if actor is None or slot.state is not State.RUNNING or slot.mailbox.leaving:\n",
        "    if actor is None or slot.mailbox.leaving:\n",
        "supervisors/test_interleaved.py"
        "::test_interleaved_messages_are_refused_while_suspended_backing_off_and_stopped",
    ),
    Safeguard(
        "the first answer wins",
        "actors/runtime/envelope.py",
        """        if not self.is_open:
            return False
        self._error = error
""",
        """        self._error = error
""",
        "actors/test_mailbox.py::test_the_first_answer_wins",
    ),
    Safeguard(
        "whoever asks in a loop lets the others run",
        "actors/runtime/trio_internals/switch.py",
        "    if pace.steps >= _BURST or pace.depth",
        "    if pace.depth",
        "supervisors/test_direct_switch.py::test_whoever_asks_in_a_loop_lets_the_others_run",
    ),
    Safeguard(
        "a handler does not see the error its asker is handling",
        "actors/runtime/trio_internals/switch.py",
        " or sys.exception() is not None:\n",
        ":\n",
        "supervisors/test_direct_switch.py"
        "::test_a_handler_does_not_see_the_error_its_asker_is_handling",
    ),
    Safeguard(
        "a cancellation that was there before a wait is delivered",
        "actors/runtime/trio_internals/switch.py",
        "                _deliver(task)\n",
        "                pass\n",
        "supervisors/test_direct_switch.py::test_a_handler_cancelled_before_it_waits_is_cut",
    ),
    Safeguard(
        "an asker whose time is up is not served",
        "actors/runtime/address.py",
        "            wake = switch_to if askers_own > now else trio.lowlevel.reschedule\n",
        "            wake = switch_to\n",
        "supervisors/test_direct_switch.py::test_an_asker_without_time_left_is_not_served",
    ),
)
