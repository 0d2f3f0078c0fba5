using MudBlazor;
using ThreatFeeds.Web.Data;

namespace ThreatFeeds.Web.Shared;

/// <summary>Says what an action came to, and takes it back where it can be.</summary>
public sealed class Toasts(ISnackbar snackbar)
{
    public void Done(string text) => Show(text, MudBlazor.Severity.Success, 5000);

    public void Failed(string text) => Show(text, MudBlazor.Severity.Error, 12000);

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
    public void Undoable(string text, Func<Task> undo) => Show(text, MudBlazor.Severity.Success, 8000, options =>
    {
        options.Action = "Undo";
        options.OnClick = _ => undo();
    });

    private void Show(string text, MudBlazor.Severity severity, int milliseconds, Action<SnackbarOptions>? more = null) => snackbar.Add(text, severity, options =>
    {
        options.VisibleStateDuration = milliseconds;
        more?.Invoke(options);
    });
}
