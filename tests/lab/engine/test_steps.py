"""The steps of jobs."""

from __future__ import annotations

from ovirtsdk4 import types

from tests.lab.engine.flows import Lab, refused


def test_a_refused_command_has_only_validated(lab: Lab) -> None:
    _, host, _ = lab.ready()
    vm = lab.vm(host)
    assert refused(lab.vm_service(vm).start)[0] == 409
    jobs = lab.system.jobs_service()
    refused_job, made = (
        next(job for job in jobs.list() if job.description.startswith(word))
        for word in ("Launching", "Creating VM")
    )
    steps = jobs.job_service(refused_job.id).steps_service()
    (step,) = steps.list()
    assert (step.type, step.status) == (types.StepEnum.VALIDATING, types.StepStatus.FAILED)
    assert steps.step_service(step.id).get().job.id == refused_job.id
    done = jobs.job_service(made.id).steps_service().list()
    assert [item.type for item in done] == [types.StepEnum.VALIDATING, types.StepEnum.EXECUTING]


def test_a_job_of_others_has_no_steps(lab: Lab) -> None:
    jobs = lab.system.jobs_service()
    job = jobs.add(types.Job(description="mine", auto_cleared=True))
    assert jobs.job_service(job.id).steps_service().list() == []
