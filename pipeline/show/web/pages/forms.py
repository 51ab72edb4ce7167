"""What the plan pages' forms send: text fields, of which an empty one is one that was left out."""

from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.show.web.api.plan_answers import ItemChange, PlanBody, PlanChange

Title = Annotated[str, Field(max_length=300)]
Text = Annotated[str, Field(max_length=8_000)]
Choice = Annotated[str, Field(max_length=230)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Positive = Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)]


class PlanForm(BaseModel):
    """A new plan by hand, with a step per line."""

    model_config = ConfigDict(extra="ignore")

    account: Choice
    name: Title = ""
    goal: Text = ""
    items: Text = ""
    outcome: Choice = ""
    ratio: Positive | None = None
    content_id: Choice = ""

    def body(self) -> PlanBody:
        """As the API takes it."""
        steps = [line.strip() for line in self.items.splitlines() if line.strip()]
        return PlanBody.model_validate(
            {
                "account": self.account,
                "name": self.name.strip() or None,
                "goal": self.goal.strip() or None,
                "items": [{"title": step} for step in steps] or None,
                "projected": {"outcome": self.outcome, "ratio": self.ratio}
                if self.outcome
                else None,
                "content_id": self.content_id or None,
            }
        )


class PlanChangeForm(BaseModel):
    """A plan's own words."""

    model_config = ConfigDict(extra="ignore")

    version: Version
    name: Title
    goal: Text = ""
    notes: Text = ""
    outcome_note: Text = ""
    outcome: Choice = ""
    ratio: Positive | None = None

    def body(self) -> PlanChange:
        """As the API takes it; without an outcome the projection stays."""
        values: dict[str, Any] = {
            "version": self.version,
            "name": self.name,
            "goal": self.goal,
            "notes": self.notes or None,
            "outcome_note": self.outcome_note or None,
        }
        if self.outcome:
            values["projected"] = {"outcome": self.outcome, "ratio": self.ratio}
        return PlanChange.model_validate(values)


class ItemForm(BaseModel):
    """A step as it is to be."""

    model_config = ConfigDict(extra="ignore")

    version: Version
    title: Title
    notes: Text = ""
    due_date: date | None = None
    estimated_hours: Positive | None = None
    projected_outcome: Text = ""
    actual_outcome: Text = ""

    def body(self) -> ItemChange:
        """As the API takes it."""
        return ItemChange(
            version=self.version,
            title=self.title,
            notes=self.notes or None,
            due_date=self.due_date,
            estimated_hours=self.estimated_hours,
            projected_outcome=self.projected_outcome or None,
            actual_outcome=self.actual_outcome or None,
        )
