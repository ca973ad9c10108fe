"""Every path of the dashboard, as plain data."""

from storycore.dashboard.page import Place
from storycore.dashboard.pages import exports, overview, projects, session, tasks

PLACES = (
    Place(path="/", answer=overview.overview),
    Place(path="/tasks", answer=tasks.tasks),
    Place(path="/tasks/{task_id}", answer=tasks.task),
    Place(path="/tasks/{task_id}/cancel", answer=tasks.cancel, method="POST"),
    Place(path="/tasks/{task_id}/again", answer=tasks.again, method="POST"),
    Place(path="/exports", answer=exports.exports),
    Place(path="/exports/new", answer=exports.new),
    Place(path="/exports/new", answer=exports.make, method="POST"),
    Place(path="/exports/{artifact_id}", answer=exports.export),
    Place(path="/exports/{artifact_id}/file", answer=exports.file),
    Place(path="/exports/{artifact_id}/pages", answer=exports.pages),
    Place(path="/exports/{artifact_id}/verify", answer=exports.verify, method="POST"),
    Place(path="/projects", answer=projects.projects),
    Place(path="/projects/view", answer=projects.project),
    Place(path="/projects/shot-picture", answer=projects.shot_picture),
    Place(path="/sign-in", answer=session.sign_in, is_open=True),
    Place(path="/sign-in", answer=session.enter, method="POST", is_open=True),
    Place(path="/sign-out", answer=session.sign_out, method="POST", is_open=True),
)
