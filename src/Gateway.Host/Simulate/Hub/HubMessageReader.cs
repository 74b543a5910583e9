using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Schema;
using Epcis.Formats;
using Epcis.Formats.Xml;

namespace Gateway.Host.Simulate.Hub;

/// <summary>
/// Reads a message node by node, validating it in the same pass; of its packs nothing is kept but twenty bytes each. The
/// schema set is asked by hand, because only so it shows what was wrong: the value (A16) or the form (I1).
/// </summary>
internal sealed class HubMessageReader
{
    public const string Namespace = "urn:open-serialization-gateway:hub:1";
    public const string WrongForm = "I1", WrongData = "A16";

    private static readonly string[] s_kinds = ["ProductData", "PackData", "StateChange", "LotRecall", "ProductWithdrawal"];
    private static readonly Lazy<XmlSchemaSet> s_schemas = new(() => EpcisSchemas.Own("hub/hub.xsd"));

    private readonly XmlReader _xml;
    private readonly XmlSchemaValidator _validator;
    private readonly XmlSchemaInfo _info = new();
    private readonly int _maxSerials;
    private readonly HubMessage _message;
    private readonly List<SerialNumber> _serials = [];
    private readonly StringBuilder _text = new();
    private readonly StringBuilder _content = new();
    private int _count = -1;
    private bool _isText;

    private HubMessageReader(XmlReader xml, int maxSerials, HubMessage message)
    {
        (_xml, _maxSerials, _message) = (xml, maxSerials, message);
        _validator = new XmlSchemaValidator(xml.NameTable, s_schemas.Value, (IXmlNamespaceResolver)xml, XmlSchemaValidationFlags.None) { XmlResolver = null, LineInfoProvider = (IXmlLineInfo)xml };
        _validator.Initialize();
    }

    /// <param name="message">Filled as far as it could be read.</param>
    /// <param name="limits">Of bytes, depth and lengths.</param>
    /// <exception cref="HubRefusedException">It cannot be read, is not as the schema has it, or is too large.</exception>
    public static void Read(Stream body, HubMessage message, int maxSerials, ReaderLimits limits)
    {
        try
        {
            using var xml = XmlReading.Create(body, limits);
            new HubMessageReader(xml, maxSerials, message).Read();
        }
        catch (XmlException e)
        {
            throw new HubRefusedException(WrongForm, e.Message);
        }
        catch (NotSupportedException e)
        {
            throw new HubRefusedException(WrongForm, e.Message); // an encoding that is not known here
        }
    }

    private void Read()
    {
        while (_xml.Read())
        {
            switch (_xml.NodeType)
            {
                case XmlNodeType.Element:
                    Start();
                    break;
                case XmlNodeType.EndElement:
                    End();
                    break;
                case XmlNodeType.Text or XmlNodeType.CDATA or XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace:
                    _text.Append(_xml.Value);
                    Guard(() => _validator.ValidateText(_xml.Value), WrongForm);
                    break;
            }
        }
        Guard(_validator.EndValidation, WrongForm);
        _message.Content = _content.ToString();
        _message.Serials = [.. _serials];
        Array.Sort(_message.Serials);
        if (_count >= 0 && _count != _message.Count)
        {
            throw new HubRefusedException(WrongForm, string.Create(CultureInfo.InvariantCulture, $"The message says {_count} packs and has {_message.Count}."));
        }
        for (var n = 1; n < _message.Serials.Length; n++)
        {
            if (_message.Serials[n] == _message.Serials[n - 1])
            {
                throw new HubRefusedException(WrongData, $"The serial number {_message.Serials[n]} stands twice in the message.", "2");
            }
        }
        if (_message.Markets.Distinct(StringComparer.Ordinal).Count() != _message.Markets.Count)
        {
            throw new HubRefusedException(WrongData, "A market stands twice in the message.");
        }
    }

    private void Start()
    {
        var name = _xml.LocalName;
        if (_message.Kind.Length == 0)
        {
            // A schema lets a root pass that it does not declare.
            _message.Kind = _xml.NamespaceURI == Namespace && s_kinds.Contains(name) ? name : throw new HubRefusedException(WrongForm, $"{name} is no message of {Namespace}.");
        }
        _text.Clear();
        Guard(() => _validator.ValidateElement(name, _xml.NamespaceURI, _info), WrongForm);
        _isText = _info.SchemaType is XmlSchemaSimpleType;
        Note('<', name);
        if (_xml.MoveToFirstAttribute())
        {
            do
            {
                if (_xml.NamespaceURI != "http://www.w3.org/2000/xmlns/")
                {
                    Guard(() => _validator.ValidateAttribute(_xml.LocalName, _xml.NamespaceURI, _xml.Value, null), string.IsNullOrWhiteSpace(_xml.Value) ? WrongData : WrongForm);
                    Take(name, _xml.LocalName, _xml.Value);
                }
            }
            while (_xml.MoveToNextAttribute());
            _xml.MoveToElement();
        }
        Guard(() => _validator.ValidateEndOfAttributes(_info), WrongData);
        if (_xml.IsEmptyElement)
        {
            End();
        }
    }

    private void Take(string element, string name, string value)
    {
        switch (element, name)
        {
            case (_, "correlationId"):
                _message.CorrelationId = value;
                break;
            case (_, "timestamp"):
                break;
            case ("Product", "code"):
                _message.Product = value;
                break;
            case ("Product", "scheme"):
                _message.Scheme = value;
                break;
            case ("Product", "version"):
                _message.Version = Number(value);
                break;
            case ("Lot", "id"):
                _message.Lot = value;
                break;
            case ("Lot", "expiry"):
                _message.Expiry = value;
                break;
            case ("Change", "state"):
                _message.State = value;
                break;
            case ("Change", "undo"):
                _message.IsUndo = XmlConvert.ToBoolean(value);
                break;
            case ("Change", "location"):
                _message.Location = value;
                break;
            case ("Market", "country"):
                _message.Markets.Add(value);
                Note('@', value);
                break;
            case ("Packs", "count"):
                _count = Number(value);
                break;
            default:
                Note('@', $"{name}={value}");
                break;
        }
    }

    private void End()
    {
        // Nothing where a text is wanted is a value that is missing; a child that is missing is the form.
        Guard(() => _validator.ValidateEndElement(_info), _isText && string.IsNullOrWhiteSpace(_text.ToString()) ? WrongData : WrongForm);
        _isText = false;
        if (_xml.LocalName == "Sn")
        {
            if (_serials.Count == _maxSerials)
            {
                throw new HubRefusedException(WrongForm, string.Create(CultureInfo.InvariantCulture, $"A message has at most {_maxSerials} serial numbers."), "2");
            }
            _message.Count++;
            _serials.Add(SerialNumber.Of(_text.ToString()));
        }
        Note('>', _text.ToString());
        _text.Clear();
    }

    /// <summary>Only product data is compared with what was said before.</summary>
    private void Note(char what, string text)
    {
        if (_message.Kind == "ProductData")
        {
            _content.Append(what).Append(text.Trim()).Append('\n');
        }
    }

    private static int Number(string text) =>
        int.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number : throw new HubRefusedException(WrongData, $"{text} is no number that a repository can keep.");

    private static void Guard(Action step, string code)
    {
        try
        {
            step();
        }
        catch (XmlSchemaException e)
        {
            throw new HubRefusedException(code, e.LineNumber > 0 ? string.Create(CultureInfo.InvariantCulture, $"Line {e.LineNumber}: {e.Message}") : e.Message);
        }
    }
}
