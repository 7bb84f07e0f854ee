"""Projects, which group sites."""

from typing import Any

from django.http import HttpRequest

from deploynix.api.operations import operation
from deploynix.api.views import Response, View
from sites.actions import projects as actions
from sites.api.serializers import ProjectChanges, ProjectInput, ProjectOutput
from sites.models import Project, ProjectQuerySet


class ProjectView(View):
    tag = "Projects"

    @property
    def projects(self) -> ProjectQuerySet:
        return Project.objects.visible_to(self.actor)

    def answer_of(self, project: Project) -> dict[str, Any]:
        rows = Project.objects.filter(pk=project.pk)
        return self.row(rows.with_sites_count(self.actor), ProjectOutput)


class Projects(ProjectView):
    abilities = {"GET": "project:read", "POST": "project:create"}

    @operation("List projects", page=ProjectOutput)
    def get(self, request: HttpRequest) -> Response:
        """`GET /sites?project=` lists the sites of one."""
        return self.page(self.projects.with_sites_count(self.actor), ProjectOutput)

    @operation("Create a project", input=ProjectInput, one=ProjectOutput, status=201)
    def post(self, request: HttpRequest) -> Response:
        project = actions.create_project(self.actor, **self.input(ProjectInput))
        return Response({"data": self.answer_of(project)}, 201)


class ProjectDetail(ProjectView):
    abilities = {"GET": "project:read", "PUT": "project:update", "DELETE": "project:delete"}

    @operation("Show a project", one=ProjectOutput)
    def get(self, request: HttpRequest, project: str) -> Response:
        return self.one(self.projects.filter(pk=project).with_sites_count(self.actor), ProjectOutput)

    @operation("Update a project", input=ProjectChanges, one=ProjectOutput)
    def put(self, request: HttpRequest, project: str) -> Response:
        """Changes the fields that are sent. A site is in one project at most: it leaves the one that it was in."""
        row = self.find(self.projects, project)
        actions.update_project(self.actor, project=row, **self.input(ProjectChanges))
        return Response({"data": self.answer_of(row)})

    @operation("Delete a project", status=204)
    def delete(self, request: HttpRequest, project: str) -> Response:
        """Its sites stay as they are, without a project."""
        actions.delete_project(self.actor, project=self.find(self.projects, project))
        return self.done()
