"""Removes from a zone what was put there for a connection, and nothing else."""

from deploynix.errors import Error
from domains.actions.connections import DISCONNECT
from domains.kinds.base import ConnectionKind, connection_of
from domains.models import Connection, State, WantedRecord
from domains.places import place_of
from domains.states import move
from domains.zones import writing
from jobs.kinds import Step, register
from jobs.models import Job
from jobs.run import Run


@register
class DisconnectConnection(ConnectionKind):
    name = DISCONNECT
    ability = "provider:delete"
    steps = (Step("remove", "Remove the records"),)

    def remove(self, run: Run) -> None:
        connection = connection_of(run)
        place = place_of(connection, run.line)
        with writing(run, place.credential, place.zone):
            for record in connection.records.exclude(put_at=None):
                run.check()
                place.adapter.remove_record(place.zone, record.full_name, record.type, record.value)
                with run.write():
                    WantedRecord.objects.filter(pk=record.pk).update(put_at=None, seen_at=None, sight="")
                run.line(f"Removed {record.full_name} {record.type} {record.value}.")
        with run.write():
            move(run.actor, connection, State.DISCONNECTED, credential=None)

    def on_failed(self, job: Job, error: Error) -> None:
        super().on_failed(job, error)
        self.on_cancelled(job)

    def on_cancelled(self, job: Job) -> None:
        Connection.objects.filter(pk=job.subject_id).update(leaving_at=None)

    def failed_state(self, connection: Connection) -> State:
        return State(connection.state)
