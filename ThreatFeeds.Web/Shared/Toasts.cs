using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Radzen;
using ThreatFeeds.Web.Data;

namespace ThreatFeeds.Web.Shared;

/// <summary>Says what an action came to, and takes it back where it can be.</summary>
public sealed class Toasts(NotificationService notifications)
{
    public void Done(string text) => Show(NotificationSeverity.Success, text, 5000);

    public void Failed(string text) => Show(NotificationSeverity.Error, text, 12000);

    /// <summary>Shows the refusal, or <paramref name="done"/>.</summary>
    public bool Tell(ActionResult result, string done)
    {
        if (result.Refusal is { } refusal)
        {
            Failed(refusal);
            return false;
        }
        Done(done);
        return true;
    }

    /// <summary>Offers to take it back for eight seconds.</summary>
    public void Undoable(string text, Func<Task> undo) => notifications.Notify(new NotificationMessage
    {
        Severity = NotificationSeverity.Success,
        Duration = 8000,
        SummaryContent = _ => builder =>
        {
            builder.OpenElement(0, "span");
            builder.AddContent(1, text);
            builder.CloseElement();
            builder.OpenElement(2, "button");
            builder.AddAttribute(3, "type", "button");
            builder.AddAttribute(4, "class", "link undo");
            builder.AddAttribute(5, "onclick", EventCallback.Factory.Create<MouseEventArgs>(this, undo));
            builder.AddContent(6, "Undo");
            builder.CloseElement();
        },
        CloseOnClick = true,
    });

    private void Show(NotificationSeverity severity, string text, double milliseconds) =>
        notifications.Notify(new NotificationMessage { Severity = severity, Summary = text, Duration = milliseconds });
}
