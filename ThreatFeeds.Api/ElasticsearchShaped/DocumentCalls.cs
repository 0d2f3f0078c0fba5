using System.Text.Json;
using System.Text.Json.Nodes;
using ThreatFeeds.Actors;
using ThreatFeeds.Api.Hosting;
using ThreatFeeds.Pushing;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Api.ElasticsearchShaped;

/// <summary>The calls on one document of a threat-feed index.</summary>
internal sealed class DocumentCalls(PushSet push, PushedDocuments documents, Actor actor)
{
    /// <summary>PUT or POST of the whole document.</summary>
    public async Task PutAsync(HttpContext context, DocumentName name, PushMode mode)
    {
        DocumentBody body = await DocumentBody.ReadAsync(context, PushDocument.Sample(name.Content), context.RequestAborted);
        if (body.Outline is null)
        {
            await ElasticAnswers.ErrorAsync(context, body.Status, body.Type, body.Reason);
            return;
        }
        await AnswerAsync(context, name, await push.PushAsync(name.Id, PushDocument.Of(name.Content, body.Outline), actor, context.RequestAborted, mode));
    }

    /// <summary>POST of a partial document; a document has one field, which is replaced whole.</summary>
    public async Task UpdateAsync(HttpContext context, DocumentName name)
    {
        string sample = $$"""{"doc": {{PushDocument.Sample(name.Content)}}}""";
        DocumentBody body = await DocumentBody.ReadAsync(context, sample, context.RequestAborted);
        if (body.Outline is not { } outline)
        {
            await ElasticAnswers.ErrorAsync(context, body.Status, body.Type, body.Reason);
            return;
        }
        Dictionary<string, DocumentMember> members = outline.Members.DistinctBy(m => m.Name).ToDictionary(m => m.Name);
        if (members.Count != outline.MemberCount || !members.TryGetValue("doc", out DocumentMember doc) || members.Keys.Any(n => n is not ("doc" or "doc_as_upsert" or "detect_noop")))
        {
            await ElasticAnswers.ErrorAsync(context, 400, "action_request_validation_exception",
                $"Validation Failed: an update takes [doc] and [doc_as_upsert] (no script, no upsert), each once: write {sample}");
            return;
        }
        bool upsert = members.TryGetValue("doc_as_upsert", out DocumentMember flag) && flag.Kind == JsonTokenType.True;
        var document = PushDocument.Read(name.Content, doc.Value, context.RequestAborted);
        await AnswerAsync(context, name, await push.PushAsync(name.Id, document, actor, context.RequestAborted, upsert ? PushMode.Put : PushMode.Update));
    }

    public async Task GetAsync(HttpContext context, DocumentName name)
    {
        var answer = new JsonObject { ["_index"] = name.Index, ["_id"] = name.Id };
        long length = await documents.LengthAsync(name.Id, name.Content, context.RequestAborted) ?? 0;
        OutgoingAnswer.Of(context).Making.Take(length * sizeof(char));
        if (length == 0 || await documents.FindAsync(name.Id, name.Content, context.RequestAborted) is not { } found)
        {
            answer["found"] = false;
            await ElasticAnswers.WriteAsync(context, 404, answer);
            return;
        }
        answer["_version"] = found.Version;
        answer["_seq_no"] = found.Version - 1;
        answer["_primary_term"] = 1;
        answer["found"] = true;
        await ElasticAnswers.WriteSourceAsync(context, answer, found.Document);
    }

    public async Task DeleteAsync(HttpContext context, DocumentName name)
    {
        PushResult result = await push.DeleteAsync(name.Id, name.Content, actor, context.RequestAborted);
        bool found = result.Status == PushStatus.Deleted;
        await ElasticAnswers.WriteAsync(context, found ? 200 : 404,
            ElasticAnswers.Written(name.Index, name.Id, found ? result.Version : 1, found ? "deleted" : "not_found"));
    }

    private static Task AnswerAsync(HttpContext context, DocumentName name, PushResult result) => result.Status switch
    {
        PushStatus.Stored or PushStatus.Waiting => WrittenAsync(context, name, result),
        PushStatus.PulledFeed => ElasticAnswers.ErrorAsync(context, 409, "status_exception", result.Message),
        PushStatus.Exists => ElasticAnswers.ErrorAsync(context, 409, "version_conflict_engine_exception", $"[{name.Id}]: version conflict, document already exists: {result.Message}"),
        PushStatus.Missing => ElasticAnswers.ErrorAsync(context, 404, "document_missing_exception", $"[{name.Id}]: document missing: {result.Message}"),
        PushStatus.TooManyWaiting => ElasticAnswers.ErrorAsync(context, 429, "circuit_breaking_exception", result.Message),
        _ => ElasticAnswers.ErrorAsync(context, 400, "document_parsing_exception", result.Message),
    };

    private static Task WrittenAsync(HttpContext context, DocumentName name, PushResult result)
    {
        JsonObject answer = ElasticAnswers.Written(name.Index, name.Id, result.Version, result.Created ? "created" : "updated");
        if (result.Status == PushStatus.Waiting)
        {
            // RFC 7234's form, as Elasticsearch sends its own warnings.
            string message = string.Concat(result.Message.Select(c => c is '"' or '\\' or < ' ' or > '~' ? '\'' : c));
            context.Response.Headers.Append("Warning", $"299 ThreatFeeds \"{message}\"");
        }
        return ElasticAnswers.WriteAsync(context, result.Created ? 201 : 200, answer);
    }
}

/// <summary>A document of a threat-feed index.</summary>
/// <param name="Index">As the client named it.</param>
/// <param name="Id">The feed's name.</param>
internal sealed record DocumentName(string Index, ContentKind Content, string Id);
