using MudBlazor;

namespace ThreatFeeds.Web.Shared;

/// <summary>Dialogs that ask and wait for the answer. Escape and a click beside them say no.</summary>
internal static class Questions
{
    public static Task<bool> AskAsync(this IDialogService dialogs, string title, string text, string yes, string no) => AnswerAsync(dialogs.ShowAsync<Question>(null, new DialogParameters<Question>
    {
        { q => q.Title, title },
        { q => q.Text, text },
        { q => q.Yes, yes },
        { q => q.No, no },
    }));

    /// <summary>Whether a dialog was closed by its own yes.</summary>
    public static async Task<bool> AnswerAsync(Task<IDialogReference> shown) => await (await shown).Result is { Canceled: false };
}
