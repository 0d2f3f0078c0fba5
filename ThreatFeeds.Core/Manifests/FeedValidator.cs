using System.Globalization;
using FluentValidation;
using FluentValidation.Results;
using ThreatFeeds.Vocabulary;

namespace ThreatFeeds.Manifests;

/// <summary>Every rule for a feed's manifest. Messages of the original's own rules are the original's, word for word.</summary>
internal sealed class FeedValidator : AbstractValidator<FeedDraft>
{
    public FeedValidator(Func<string, string?> jsonPathProblem)
    {
        RuleFor(d => d.Metadata).SetValidator(new MetadataValidator());
        RuleFor(d => d.Spec!).NotNull().Because(ProblemReasons.Required, "Required value: spec").SetValidator(new SpecValidator(jsonPathProblem));
    }
}

internal sealed class MetadataValidator : AbstractValidator<MetadataDraft>
{
    public MetadataValidator()
    {
        RuleFor(m => m.Name).Cascade(CascadeMode.Stop)
            .NotEmpty().Because(ProblemReasons.Required, "Required value: name is required")
            .Must(n => n!.Length <= KubernetesNames.MaxFeedName).Because(ProblemReasons.TooLong, "Too long: a feed's name has at most 200 characters")
            .Must(n => KubernetesNames.IsSubdomain(n!)).Because(ProblemReasons.Invalid, n => $"Invalid value: \"{n}\": {KubernetesNames.SubdomainRule}");
        RuleFor(m => m.Labels).Custom((labels, context) => LabelRules.Check(labels, "Labels", context));
        RuleFor(m => m.Annotations).Custom((annotations, context) => LabelRules.CheckKeys(annotations, "Annotations", context));
        Annotation(FeedAnnotations.MatchSubdomains, v => v is "true" or "false", "supported values: \"true\", \"false\"", ProblemReasons.NotSupported);
        Annotation(FeedAnnotations.Urls, v => v is "host", "supported values: \"host\"", ProblemReasons.NotSupported);
        Annotation(FeedAnnotations.MinShare, IsShare, "must be a number from 0 to 1, such as \"0.1\"", ProblemReasons.Invalid);
    }

    private void Annotation(string key, Func<string, bool> valid, string rule, string reason) =>
        RuleFor(m => m.Annotations.GetValueOrDefault(key)).Must(v => v is null || valid(v))
            .Because(reason, v => $"{(reason == ProblemReasons.NotSupported ? "Unsupported" : "Invalid")} value: \"{v}\": {rule}")
            .OverridePropertyName($"Annotations[{key}]");

    private static bool IsShare(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double share) && share is >= 0 and <= 1;
}

internal sealed class SpecValidator : AbstractValidator<SpecDraft>
{
    private const int MaxDescription = 256;

    public SpecValidator(Func<string, string?> jsonPathProblem)
    {
        RuleFor(s => s.Content).OneOf("DomainNameSet", "IPSet");
        RuleFor(s => s.Mode).OneOf("Disabled", "Enabled");
        RuleFor(s => s.FeedType).OneOf("Builtin", "Custom");
        RuleFor(s => s.Description).Must(d => d is null || d.EnumerateRunes().Count() <= MaxDescription)
            .Because(ProblemReasons.TooLong, "Too long: may not be longer than 256 characters");
        RuleFor(s => s.GlobalNetworkSet).Cascade(CascadeMode.Stop)
            .Must((s, set) => set is null || s.Content != nameof(ContentKind.DomainNameSet))
            .Because(ProblemReasons.Invalid, "DomainNameSet does not support syncing with a GlobalNetworkSet")
            .Must((s, set) => set is null || s.Pull is not null)
            .Because(ProblemReasons.Invalid, "globalNetworkSet needs a pull stanza: pushed sets are not synced with a GlobalNetworkSet");
        RuleFor(s => s.GlobalNetworkSet!.Labels).Custom((labels, context) => LabelRules.Check(labels, "GlobalNetworkSet.Labels", context))
            .When(s => s.GlobalNetworkSet is not null);
        RuleFor(s => s.Pull!).SetValidator(new PullValidator(jsonPathProblem)).When(s => s.Pull is not null);
    }
}

internal sealed class PullValidator : AbstractValidator<PullDraft>
{
    public PullValidator(Func<string, string?> jsonPathProblem)
    {
        RuleFor(p => p.Period).Must(p => PeriodProblem(p) is null).Because(ProblemReasons.Invalid, p => $"Invalid value: \"{p}\": {PeriodProblem(p)}");
        RuleFor(p => p.Http!).NotNull().Because(ProblemReasons.Required, "Required value: http").SetValidator(new HttpValidator(jsonPathProblem));
    }

    private static string? PeriodProblem(string? period)
    {
        // Go's omitempty: an empty period is none.
        if (string.IsNullOrEmpty(period))
        {
            return null;
        }
        if (!GoDuration.TryParse(period, out long nanoseconds, out string? problem))
        {
            return $"{problem}; write it like 24h or 1h30m (units: h, m, s)";
        }
        return nanoseconds < FeedBuilder.MinPeriod.Ticks * 100 ? "must be at least 5m" : null;
    }
}

internal sealed class HttpValidator : AbstractValidator<HttpDraft>
{
    public HttpValidator(Func<string, string?> jsonPathProblem)
    {
        RuleFor(h => h.Url).Cascade(CascadeMode.Stop)
            .NotEmpty().Because(ProblemReasons.Required, "Required value: url")
            .Must(u => FeedUrl.Problem(u!) is null).Because(ProblemReasons.Invalid, u => FeedUrl.Problem(u!)!);
        RuleFor(h => h.Format)
            .Must(f => f is null || (f.NewlineDelimited ? 1 : 0) + (f.Json is null ? 0 : 1) + (f.Csv is null ? 0 : 1) <= 1)
            .Because(ProblemReasons.Invalid, "only one format type may be specified");
        RuleFor(h => h.Format!.Json!.Path).Cascade(CascadeMode.Stop)
            .NotEmpty().Because(ProblemReasons.Required, "Required value: path")
            .Must(p => jsonPathProblem(p!) is null).Because(ProblemReasons.Invalid, p => $"Invalid value: \"{p}\": {jsonPathProblem(p!)}")
            .When(h => h.Format?.Json is not null).OverridePropertyName("Format.Json.Path");
        RuleFor(h => h.Format!.Csv!).SetValidator(new CsvValidator()).When(h => h.Format?.Csv is not null).OverridePropertyName("Format.Csv");
        RuleFor(h => h.Format!.Csv!).Cascade(CascadeMode.Stop)
            .Must(c => c.FieldNum is null || string.IsNullOrEmpty(c.FieldName)).Because(ProblemReasons.Invalid, "fieldNum and fieldName are mutually exclusive")
            .Must(c => c.FieldNum is not null || !string.IsNullOrEmpty(c.FieldName)).Because(ProblemReasons.Required, "Required value: one of fieldNum and fieldName")
            .When(h => h.Format?.Csv is not null).OverridePropertyName("Format.Csv");
        RuleFor(h => h.Headers).Must((h, _) => !h.HasTooManyHeaders).Because(ProblemReasons.TooMany, $"Too many: must have at most {HttpDraft.MostHeaders} items");
        Unless(h => h.HasTooManyHeaders, () =>
        {
            RuleForEach(h => h.Headers).SetValidator(new HeaderValidator());
            RuleForEach(h => h.Headers).Cascade(CascadeMode.Stop)
                .Must(h => h.Value is null || h.ValueFrom is null).Because(ProblemReasons.Invalid, "value and valueFrom are mutually exclusive")
                .Must(h => h.Value is not null || h.ValueFrom is not null).Because(ProblemReasons.Required, "Required value: one of value and valueFrom");
            RuleFor(h => h.Headers).Custom(CheckRepeats);
        });
    }

    // Names of headers ignore case; of two that differ in nothing else only one could be sent.
    private static void CheckRepeats(IReadOnlyList<HeaderDraft> headers, ValidationContext<HttpDraft> context)
    {
        var first = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        for (int i = 0; i < headers.Count; i++)
        {
            if (headers[i].Name is { Length: > 0 } name && !first.TryAdd(name, name))
            {
                string message = $"Duplicate value: \"{name}\": it is the same header as \"{first[name]}\" above; leave one of them out";
                context.AddFailure(new ValidationFailure($"{context.PropertyPath}[{i}].Name", message) { ErrorCode = ProblemReasons.Invalid });
            }
        }
    }
}

internal sealed class CsvValidator : AbstractValidator<CsvDraft>
{
    public CsvValidator()
    {
        RuleFor(c => c.FieldNum).Must(n => n is null or (>= 0 and <= int.MaxValue))
            .Because(ProblemReasons.Invalid, n => $"Invalid value: {n}: must be the number of a column; the first is 0");
        RuleFor(c => c.FieldName).Must((c, n) => string.IsNullOrEmpty(n) || c.FieldNum is not null || c.Header)
            .Because(ProblemReasons.Invalid, "fieldName needs header: true");
        RuleFor(c => c.ColumnDelimiter).Must(IsDelimiter).Because(ProblemReasons.Invalid, d => $"Invalid value: \"{d}\": {DelimiterRule}");
        RuleFor(c => c.CommentDelimiter).Cascade(CascadeMode.Stop)
            .Must(IsDelimiter).Because(ProblemReasons.Invalid, d => $"Invalid value: \"{d}\": {DelimiterRule}")
            .Must((c, d) => string.IsNullOrEmpty(d) || d != (string.IsNullOrEmpty(c.ColumnDelimiter) ? "," : c.ColumnDelimiter))
            .Because(ProblemReasons.Invalid, d => $"Invalid value: \"{d}\": commentDelimiter and columnDelimiter must differ");
        RuleFor(c => c.RecordSize).Cascade(CascadeMode.Stop)
            .Must(n => n is null or (> 0 and <= int.MaxValue)).Because(ProblemReasons.Invalid, n => $"Invalid value: {n}: must be greater than 0")
            .Must((c, n) => n is null || !c.DisableRecordSizeValidation)
            .Because(ProblemReasons.Invalid, "recordSize and disableRecordSizeValidation are mutually exclusive");
    }

    private const string DelimiterRule = "must be one character, not a quote or an end of line";

    // Go's validDelim; an empty one counts as unset.
    private static bool IsDelimiter(string? delimiter) =>
        string.IsNullOrEmpty(delimiter) || (delimiter.Length == 1 && delimiter[0] is not ('"' or '\r' or '\n' or '\0' or '\uFFFD') && !char.IsSurrogate(delimiter[0]));
}

internal sealed class HeaderValidator : AbstractValidator<HeaderDraft>
{
    private const string OfBody = "it describes a body, and a pull sends none", OfConnection = "it is between two neighbours on the way and set by the connection itself",
        OfCondition = "a pull asks by itself whether the list has changed, and takes all of it";

    private static readonly Dictionary<string, string> Refused = new(StringComparer.OrdinalIgnoreCase)
    {
        ["Allow"] = OfBody, ["Expires"] = OfBody, ["Last-Modified"] = OfBody, ["Content-Disposition"] = OfBody, ["Content-Encoding"] = OfBody,
        ["Content-Language"] = OfBody, ["Content-Length"] = OfBody, ["Content-Location"] = OfBody, ["Content-MD5"] = OfBody, ["Content-Range"] = OfBody,
        ["Content-Type"] = OfBody,
        ["Connection"] = OfConnection, ["Keep-Alive"] = OfConnection, ["Proxy-Connection"] = OfConnection, ["TE"] = OfConnection,
        ["Trailer"] = OfConnection, ["Transfer-Encoding"] = OfConnection, ["Upgrade"] = OfConnection, ["HTTP2-Settings"] = OfConnection,
        ["If-Match"] = OfCondition, ["If-None-Match"] = OfCondition, ["If-Modified-Since"] = OfCondition, ["If-Unmodified-Since"] = OfCondition,
        ["If-Range"] = OfCondition, ["Range"] = OfCondition,
        ["Expect"] = "it asks before a body is sent, and a pull sends none",
        ["Host"] = "the URL says it",
        ["Proxy-Authorization"] = "it belongs to the proxy, which Pulling:ProxyCredentialsFile sets for all feeds",
    };

    /// <summary>Why a header of this name cannot be sent with a pull; null when it can, exactly as it is written.</summary>
    public static string? Refusal(string name) => Refused.TryGetValue(name, out string? why) ? $"the header {name} cannot be set: {why}" : null;

    public HeaderValidator()
    {
        RuleFor(h => h.Name).Cascade(CascadeMode.Stop)
            .NotEmpty().Because(ProblemReasons.Required, "Required value: name")
            .Must(n => n!.All(KubernetesNames.IsTokenCharacter))
            .Because(ProblemReasons.Invalid, n => $"Invalid value: \"{n}\": a header's name is made of ASCII letters, digits and !#$%&'*+-.^_`|~")
            .Must(n => Refusal(n!) is null).Because(ProblemReasons.Invalid, n => $"Invalid value: \"{n}\": {Refusal(n!)}");
        // Not repeated in the message: it may be a key.
        RuleFor(h => h.Value).Must(v => v is null || v.All(c => c is >= ' ' and <= '~' or '\t'))
            .Because(ProblemReasons.Invalid, "Invalid value: a header's value is made of printable ASCII characters");
        RuleFor(h => h.ValueFrom).Cascade(CascadeMode.Stop)
            .Must(v => v is null || v.ConfigMapKeyRef is null || v.SecretKeyRef is null)
            .Because(ProblemReasons.Invalid, "configMapKeyRef and secretKeyRef are mutually exclusive")
            .Must(v => v is null || v.ConfigMapKeyRef is not null || v.SecretKeyRef is not null)
            .Because(ProblemReasons.Required, "Required value: one of configMapKeyRef and secretKeyRef");
        RuleFor(h => h.ValueFrom!.ConfigMapKeyRef!).SetValidator(new KeyRefValidator()).When(h => h.ValueFrom?.ConfigMapKeyRef is not null);
        RuleFor(h => h.ValueFrom!.SecretKeyRef!).SetValidator(new KeyRefValidator()).When(h => h.ValueFrom?.SecretKeyRef is not null);
    }
}

internal sealed class KeyRefValidator : AbstractValidator<KeyRefDraft>
{
    public KeyRefValidator()
    {
        RuleFor(r => r.Name).Cascade(CascadeMode.Stop)
            .NotEmpty().Because(ProblemReasons.Required, "Required value: name")
            .Must((r, n) => n!.StartsWith(Prefix(r), StringComparison.Ordinal) && n.Length > Prefix(r).Length)
            .WithErrorCode(ProblemReasons.Invalid).WithMessage((r, n) => $"Invalid value: \"{n}\": must begin with {Prefix(r)} and go on")
            .Must(n => n!.Length <= KubernetesNames.MaxSubdomain && KubernetesNames.IsSubdomain(n))
            .Because(ProblemReasons.Invalid, n => $"Invalid value: \"{n}\": {KubernetesNames.SubdomainRule}");
        RuleFor(r => r.Key).Cascade(CascadeMode.Stop)
            .NotEmpty().Because(ProblemReasons.Required, "Required value: key")
            .Must(k => k!.Length <= KubernetesNames.MaxSubdomain && k.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            .Because(ProblemReasons.Invalid, k => $"Invalid value: \"{k}\": a key is made of letters, digits, '-', '_' and '.'");
    }

    private static string Prefix(KeyRefDraft reference) => $"globalthreatfeed-{reference.FeedName}-";
}

internal static class RuleWords
{
    /// <summary>Reason and message of the rule just written.</summary>
    public static IRuleBuilderOptions<T, TProperty> Because<T, TProperty>(this IRuleBuilderOptions<T, TProperty> rule, string reason, string message) =>
        rule.WithErrorCode(reason).WithMessage(_ => message);

    public static IRuleBuilderOptions<T, TProperty> Because<T, TProperty>(this IRuleBuilderOptions<T, TProperty> rule, string reason, Func<TProperty, string> message) =>
        rule.WithErrorCode(reason).WithMessage((_, value) => message(value));

    public static IRuleBuilderOptions<T, string?> OneOf<T>(this IRuleBuilder<T, string?> rule, string first, string second) =>
        rule.Must(v => v is null || v == first || v == second)
            .Because(ProblemReasons.NotSupported, v => $"Unsupported value: \"{v}\": supported values: \"{first}\", \"{second}\"");
}
