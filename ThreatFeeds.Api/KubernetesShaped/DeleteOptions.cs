using System.Text.Json;
using System.Text.Json.Nodes;
using ThreatFeeds.Resources;

namespace ThreatFeeds.Api.KubernetesShaped;

/// <summary>The body that a Kubernetes client may send with a DELETE.</summary>
internal static class DeleteOptions
{
    /// <summary>False when the preconditions cannot be read: a delete whose condition is not understood must not happen.</summary>
    public static bool TryRead(JsonObject? body, out ResourcePrecondition precondition, out bool dryRun)
    {
        precondition = ResourcePrecondition.None;
        dryRun = body?["dryRun"] is JsonArray values && values.Any(v => v?.GetValueKind() == JsonValueKind.String && v.GetValue<string>() == "All");
        if (body?["preconditions"] is not { } given)
        {
            return true;
        }
        if (given is not JsonObject members || !TryText(members["uid"], out string? uid) || !TryText(members["resourceVersion"], out string? version))
        {
            return false;
        }
        // A uid that is none of ours never equals one of ours.
        Guid? wanted = uid is null ? null : Guid.TryParse(uid, out Guid parsed) ? parsed : Guid.Empty;
        precondition = new ResourcePrecondition(version, wanted);
        return true;
    }

    private static bool TryText(JsonNode? node, out string? text)
    {
        text = node?.GetValueKind() == JsonValueKind.String ? node.GetValue<string>() : null;
        return node is null || text is not null;
    }
}
