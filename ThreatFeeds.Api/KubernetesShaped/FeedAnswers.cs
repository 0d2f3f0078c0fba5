using System.Text.Json;
using System.Text.Json.Nodes;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Feeds;
using ThreatFeeds.Manifests;
using ThreatFeeds.Resources;
using ThreatFeeds.Storage;

namespace ThreatFeeds.Api.KubernetesShaped;

/// <summary>Feeds on their way out. What is made of a row to write it may weigh a hundred times as much, and counts as long as it is there.</summary>
internal static class FeedAnswers
{
    /// <summary>Bytes that are held when nodes are made of what the row holds.</summary>
    public static long Weight(ResourceRow row) => (long)RequestBody.CopiesAsNodes * (row.Spec.Length + row.Status.Length + row.Labels.Length + row.Annotations.Length);

    /// <summary>One feed.</summary>
    public static ObjectAnswer One(HttpContext context, ResourceRow row)
    {
        OutgoingAnswer.Of(context).Making.Take(Weight(row));
        return new ObjectAnswer(StatusCodes.Status200OK, Document(row));
    }

    private static JsonObject Document(ResourceRow row) => FeedManifest.WithDefaults(ResourceDocument.ToJson(row));

    /// <summary>All feeds, of which one at a time is in memory beside the answer.</summary>
    internal sealed class List(FeedCatalog catalog, long version) : IResult
    {
        public async Task ExecuteAsync(HttpContext httpContext)
        {
            bool yaml = ObjectAnswer.WantsYaml(httpContext.Request);
            httpContext.Response.ContentType = yaml ? "application/yaml; charset=utf-8" : "application/json; charset=utf-8";
            var head = new JsonObject
            {
                ["apiVersion"] = ResourceKind.GlobalThreatFeed.ApiVersion,
                ["kind"] = "GlobalThreatFeedList",
                ["metadata"] = new JsonObject { ["resourceVersion"] = $"{version}" },
            };
            // Written as text, item by item: a list of nodes would hold all of them.
            (string begin, string between, string end, string none) = yaml
                ? (ManifestYaml.Write(head) + "items:\n", "", "", ManifestYaml.Write(head) + "items: []\n")
                : (head.ToJsonString()[..^1] + ",\"items\":[", ",", "]}", head.ToJsonString()[..^1] + ",\"items\":[]}");
            HeldBytes making = OutgoingAnswer.Of(httpContext).Making;
            bool any = false;
            await foreach (ResourceRow row in catalog.RowsAsync(httpContext.RequestAborted))
            {
                await httpContext.Response.WriteAsync(any ? between : begin, httpContext.RequestAborted);
                any = true;
                long weight = Weight(row);
                making.Take(weight);
                if (yaml)
                {
                    await httpContext.Response.WriteAsync(ManifestYaml.Write(new JsonArray(Document(row))), httpContext.RequestAborted);
                }
                else
                {
                    await JsonSerializer.SerializeAsync(httpContext.Response.Body, Document(row), cancellationToken: httpContext.RequestAborted);
                }
                making.Give(weight);
            }
            await httpContext.Response.WriteAsync(any ? end : none, httpContext.RequestAborted);
        }
    }
}
