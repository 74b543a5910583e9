using System.Xml;
using System.Xml.Schema;

namespace Epcis.Formats.Xml;

/// <summary>
/// Validates what a reader reads, node by node, in the same pass. Only the compiled schemas decide: nothing that a document
/// says about schemas is looked at. Warnings are not asked for: each foreign element gives one.
/// </summary>
internal sealed class XmlValidation
{
    private readonly XmlReader _reader;
    private readonly XmlSchemaValidator _validator;
    private readonly XmlSchemaInfo _info = new();

    // A list of plain texts, such as an epcList, is a loop in the schema: whatever comes after its first item leaves the
    // validator where it is. Such items are most of a document, and the validator costs more than reading them.
    private XmlSchemaElement? _item;
    private int _listDepth;
    private bool _isRepeating;
    private bool _isInRepeat;

    /// <param name="reader">Stands on the root element, which is validated at once.</param>
    /// <param name="isBareEvent">The root is an event, which no schema declares as one; it is held to the type of such events in a document.</param>
    /// <exception cref="ArgumentException">The schemas are not compiled, or do not declare the root: they would let anything pass.</exception>
    public XmlValidation(XmlReader reader, XmlSchemaSet schemas, ValidationEventHandler report, bool isBareEvent = false)
    {
        if (!schemas.IsCompiled)
        {
            throw new ArgumentException("A schema set that is not compiled validates nothing.", nameof(schemas));
        }
        var root = isBareEvent
            ? schemas.GlobalTypes[new XmlQualifiedName(reader.LocalName + "Type", XmlRoot.EpcisNamespace + "2")]
            : schemas.GlobalElements[new XmlQualifiedName(reader.LocalName, reader.NamespaceURI)];
        if (root is null)
        {
            throw new ArgumentException($"The schemas do not declare {reader.LocalName} and would let anything pass.", nameof(schemas));
        }
        _reader = reader;
        // Neither ProcessSchemaLocation nor ProcessInlineSchema: only our own schemas decide. Nor AllowXmlAttributes: XML Schema
        // exempts the attributes of xsi only (part 1, 3.4.4), and what an element may not have is not kept.
        _validator = new XmlSchemaValidator(reader.NameTable, schemas, (IXmlNamespaceResolver)reader, XmlSchemaValidationFlags.None)
        {
            XmlResolver = null,
            LineInfoProvider = (IXmlLineInfo)reader,
        };
        _validator.ValidationEventHandler += report;
        if (isBareEvent)
        {
            _validator.Initialize(root);
        }
        else
        {
            _validator.Initialize();
        }
        See();
    }

    /// <summary>Validates the node that the reader stands on; called once for each.</summary>
    public void See()
    {
        switch (_reader.NodeType)
        {
            case XmlNodeType.Element:
                Start();
                break;
            case XmlNodeType.EndElement:
                End();
                break;
            case XmlNodeType.Text or XmlNodeType.CDATA when !_isInRepeat:
                _validator.ValidateText(_reader.Value);
                break;
            case XmlNodeType.Whitespace or XmlNodeType.SignificantWhitespace when !_isInRepeat:
                _validator.ValidateWhitespace(_reader.Value);
                break;
        }
    }

    /// <summary>The document is at its end.</summary>
    public void Finish() => _validator.EndValidation();

    private void Start()
    {
        if (_isInRepeat)
        {
            // The validator has not seen the item that this element is in and that may hold none.
            _isInRepeat = false;
            _validator.ValidateElement(_item!.Name!, _item.QualifiedName.Namespace, _info);
            _validator.ValidateEndOfAttributes(_info);
        }
        else if (_isRepeating && _reader.Depth == _listDepth + 1 && IsItem() && !_reader.HasAttributes)
        {
            _isInRepeat = !_reader.IsEmptyElement;
            return;
        }
        StartValidating();
    }

    private void StartValidating()
    {
        if (_reader.HasAttributes)
        {
            _validator.ValidateElement(_reader.LocalName, _reader.NamespaceURI, _info,
                _reader.GetAttribute("type", XmlSchema.InstanceNamespace), _reader.GetAttribute("nil", XmlSchema.InstanceNamespace), null, null);
        }
        else
        {
            _validator.ValidateElement(_reader.LocalName, _reader.NamespaceURI, _info);
        }
        var (declaration, type) = (_info.SchemaElement, _info.SchemaType);
        if (_reader.MoveToFirstAttribute())
        {
            do
            {
                if (!XmlExtensionReader.IsDeclaration(_reader))
                {
                    _validator.ValidateAttribute(_reader.LocalName, _reader.NamespaceURI, _reader.Value, null);
                }
            }
            while (_reader.MoveToNextAttribute());
            _reader.MoveToElement();
        }
        _validator.ValidateEndOfAttributes(_info);
        if (_item is not null && _reader.Depth == _listDepth + 1)
        {
            _isRepeating |= declaration == _item;
        }
        else if (ItemOf(type) is { } item)
        {
            (_item, _listDepth, _isRepeating) = (item, _reader.Depth, false);
        }
        if (_reader.IsEmptyElement)
        {
            End();
        }
    }

    private void End()
    {
        if (_isInRepeat)
        {
            _isInRepeat = false;
            return;
        }
        if (_item is not null && _reader.Depth == _listDepth)
        {
            (_item, _isRepeating) = (null, false);
        }
        _validator.ValidateEndElement(_info);
    }

    private bool IsItem() => _reader.LocalName == _item!.Name && _reader.NamespaceURI == _item.QualifiedName.Namespace;

    /// <summary>The one element that a type holds, any number of times and with any text; null when its content is another.</summary>
    private static XmlSchemaElement? ItemOf(XmlSchemaType? type) =>
        type is XmlSchemaComplexType { ContentTypeParticle: XmlSchemaSequence { MaxOccurs: 1, Items: [XmlSchemaElement { MinOccurs: <= 1, MaxOccurs: decimal.MaxValue } item] } }
        && HoldsAnyText(item.ElementSchemaType) && item is { DefaultValue: null, FixedValue: null, Constraints.Count: 0, IsAbstract: false }
            ? item
            : null;

    private static bool HoldsAnyText(XmlSchemaType? type)
    {
        var text = XmlSchemaType.GetBuiltInSimpleType(XmlTypeCode.String);
        return type == text || (type is XmlSchemaComplexType { ContentType: XmlSchemaContentType.TextOnly, DerivedBy: XmlSchemaDerivationMethod.Extension, AttributeUses.Count: 0 } && type.BaseXmlSchemaType == text);
    }
}
